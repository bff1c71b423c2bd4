# SPDX-License-Identifier: Apache-2.0
"""Graph and Program: immutable, in topological order, typed and checked when constructed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.operator import Operator
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True, slots=True)
class Value:
    """A named input of a graph."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class Node:
    """One application of an operator. Its name is also the name of the value it makes.

    `origin` is the name the source model gives to the same value, for messages and checks.
    """

    name: str
    op: Operator
    inputs: tuple[str, ...]
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.op.name} {self.name!r}" + (f" ({self.origin})" if self.origin else "")


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order over named values.

    `channels_first` records that the source model takes images as (C, H, W): arrays given by a
    user come in that order and are turned once, at the entrance.

    Raises:
        ModelError: a name is used twice or before it is made, an operand that must be constant is
            not, an output is unknown, or a type rule fails; the text names the node.
    """

    name: str
    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Constant]
    channels_first: bool = False
    types: Mapping[str, TensorType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        types = {name: constant.type for name, constant in self.constants.items()}
        for value in self.inputs:
            _declare(types, value.name, value.type)
        for node in self.nodes:
            _declare(types, node.name, self._infer(node, types))
        for name in self.outputs:
            if name not in types or name in self.constants:
                raise ModelError(f"a graph's output must be computed by it, not {name!r}")
        if not self.outputs:
            raise ModelError(f"graph {self.name!r} must have an output, not none")
        object.__setattr__(self, "types", types)

    def _infer(self, node: Node, types: Mapping[str, TensorType]) -> TensorType:
        if len(node.inputs) != len(node.op.operands):
            raise ModelError(
                f"{node} must have operands {', '.join(node.op.operands)}, not {len(node.inputs)}"
            )
        for operand, name in zip(node.op.operands, node.inputs, strict=True):
            if name not in types:
                raise ModelError(f"{node} must use values made before it, not {name!r}")
            if (operand in node.op.constant_operands) != (name in self.constants):
                rule = "a constant" if operand in node.op.constant_operands else "an activation"
                raise ModelError(f"{node}: operand {operand} must be {rule}, not {name!r}")
        try:
            return node.op.infer(*(types[name] for name in node.inputs))
        except ModelError as error:
            raise ModelError(f"{node}: {error}") from None

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        """The node that makes each value."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each value, in order."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def operand_types(self, node: Node) -> tuple[TensorType, ...]:
        """Return the types of a node's operands."""
        return tuple(self.types[name] for name in node.inputs)

    def macs(self, node: Node) -> int:
        """Return the multiply-accumulates of one frame."""
        return node.op.loops(*self.operand_types(node)).macs

    @property
    def parameters(self) -> int:
        """Number of constant elements."""
        return sum(constant.data.size for constant in self.constants.values())

    def frames(self, data: np.ndarray) -> np.ndarray:
        """Bring a user's batch into the shape and axis order of the first input.

        Raises:
            ModelError: the array's frames have another shape.
        """
        shape = self.inputs[0].type.shape
        data = np.asarray(data)
        if self.channels_first and len(shape) == 3 and data.ndim == 4:
            source = (shape[2], shape[0], shape[1])
            if data.shape[1:] == source:
                return np.ascontiguousarray(data.transpose(0, 2, 3, 1))
        if data.ndim == len(shape) + 1 and data.shape[1:] == shape:
            return data
        wanted = (shape[2], *shape[:2]) if self.channels_first and len(shape) == 3 else shape
        raise ModelError(
            f"data for {self.inputs[0].name!r} must have shape (N, {', '.join(map(str, wanted))}), "
            f"not {data.shape}"
        )


@dataclass(frozen=True)
class Program:
    """A graph proven integer, with the real meaning of its values.

    `quantization` names at least every input and output; accumulators and constants may be absent.
    `notes` say what a user must know who expects the float network's own results.

    Raises:
        ModelError: a value is not an integer, or an input or output has no real meaning.
    """

    graph: Graph
    quantization: Mapping[str, Quantization]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, type_ in self.graph.types.items():
            if not isinstance(type_.element, IntType):
                raise ModelError(f"every value of a program must be an integer, not {name} {type_}")
        ends = [value.name for value in self.graph.inputs] + list(self.graph.outputs)
        if missing := [name for name in ends if name not in self.quantization]:
            raise ModelError(f"a program's ends must have a scale; {missing[0]!r} has none")

    def quantize_input(self, data: np.ndarray) -> np.ndarray:
        """Turn a user's real batch into the integers the program reads: round half up, saturate.

        Raises:
            ModelError: the shape is wrong or a number is not finite.
        """
        value = self.graph.inputs[0]
        frames = self.graph.frames(data).astype(np.float64)
        if not np.isfinite(frames).all():
            raise ModelError(f"data for {value.name!r} must be finite, not NaN or infinite")
        how, element = self.quantization[value.name], value.type.integer
        codes = np.floor(frames / np.asarray(how.scale) + 0.5) + how.zero_point
        return np.clip(codes, element.min, element.max).astype(element.dtype)


def _declare(types: dict[str, TensorType], name: str, type_: TensorType) -> None:
    if name in types:
        raise ModelError(f"a value's name must be used once, not again for {name!r}")
    types[name] = type_


def rebuild(graph: Graph, nodes: Sequence[Node], constants: Mapping[str, Constant]) -> Graph:
    """Return the graph with other nodes and constants; constants nobody reads are left out."""
    read = {name for node in nodes for name in node.inputs}
    kept = {name: constant for name, constant in constants.items() if name in read}
    return Graph(graph.name, graph.inputs, tuple(nodes), graph.outputs, kept, graph.channels_first)
