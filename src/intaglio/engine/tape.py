# SPDX-License-Identifier: Apache-2.0
"""A program as a tape of instructions for the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.engine.assembly import (
    Assembly,
    Instruction,
    NoKernelError,
    Place,
    instruction_words,
)
from intaglio.engine.rules import RULES
from intaglio.ir.graph import Graph, Node, Program
from intaglio.ir.rewrite import Replacement, exhaust
from intaglio.ir.types import Quantization, TensorType
from intaglio.passes.lower import lowering

#: Elements of the arrays at both ends; the numbers are those of `kernels.cpp`.
ELEMENTS = {
    np.dtype(dtype): index
    for index, dtype in enumerate(("int8", "int16", "int32", "int64", "float32", "float64"))
}
REAL = np.dtype(np.float64)


@dataclass(frozen=True)
class End:
    """A value that enters or leaves: its place, and the real meaning of its codes, if it has one.

    `scale` is where its scales lie among the constants.
    """

    place: Place
    type: TensorType
    meaning: Quantization | None
    scale: int

    @property
    def zero_point(self) -> int:
        """The code of zero."""
        return self.meaning.zero_point if self.meaning else 0

    @property
    def period(self) -> int:
        """How many scales there are."""
        return len(self.meaning.scale) if self.meaning else 1


@dataclass(frozen=True)
class Tape:
    """A program for the kernels, without the instructions of its ends.

    `outputs` are the values that can be taken out, by name; `arena` is the memory of a frame.
    """

    body: tuple[int, ...]
    constants: np.ndarray
    arena: int
    input: End
    outputs: Mapping[str, End]

    def words(
        self, given: np.dtype[np.generic], channels_first: bool, taken: Sequence[str], real: bool
    ) -> np.ndarray:
        """Return the whole tape.

        Args:
            given: element of the input array: codes, or reals to be quantized.
            channels_first: whether its images are.
            taken: values to take out, in order.
            real: whether as real numbers.
        """
        end = self.input
        element, channels = end.type.integer, end.type.channels
        entrance = instruction_words(
            Instruction.ENTRANCE,
            ELEMENTS[given],
            *(end.type.size // channels, channels, channels_first),
            *end.place.words,
            *(end.scale, end.period, end.zero_point, element.min, element.max),
        )
        exits: list[int] = []
        for index, name in enumerate(taken):
            end = self.outputs[name]
            exits += instruction_words(
                Instruction.EXIT,
                *end.place.words,
                *(end.type.size, index, ELEMENTS[REAL if real else end.type.element.dtype]),
                *(end.scale, end.period, end.zero_point),
            )
        return np.array([*entrance, *self.body, *exits], dtype=np.int64)


def assemble(program: Program, wanted: Sequence[str]) -> Tape:
    """Write the tape that computes the wanted values of a program.

    Raises:
        NoKernelError: a node has no kernel; the text names it.
    """
    graph = exhaust(program.graph, _lower)
    if len(graph.inputs) != 1:
        raise NoKernelError(f"a program must have one input, not {len(graph.inputs)}")
    assembly = Assembly(graph, frozenset(wanted))
    start = graph.inputs[0].name
    assembly.place(start)
    needed = _needed(graph, wanted)
    for node in graph.nodes:
        if node.name in assembly.places or node.name not in needed:
            continue
        if type(node.op) not in RULES:
            known = ", ".join(sorted(op.name for op in RULES))
            raise NoKernelError(f"{node} must be one of {known} to have a kernel")
        RULES[type(node.op)](assembly, node, node.op)
    ends = {
        name: End(
            assembly.places[name],
            graph.types[name],
            program.quantization.get(name),
            assembly.constant(np.array(_scales(program, name))),
        )
        for name in dict.fromkeys((start, *wanted))
    }
    body, constants = tuple(assembly.words), np.frombuffer(bytes(assembly.constants), np.uint8)
    return Tape(body, constants, assembly.size, ends[start], ends)


def _scales(program: Program, name: str) -> tuple[float, ...]:
    meaning = program.quantization.get(name)
    return meaning.scale if meaning else (1.0,)


def _lower(graph: Graph, node: Node) -> Replacement | None:
    """Put the operators it is made of in place of one that has no kernel."""
    return None if type(node.op) in RULES else lowering(graph, node)


def _needed(graph: Graph, wanted: Sequence[str]) -> set[str]:
    """Return the values that the wanted ones depend on."""
    needed = set(wanted)
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return needed
