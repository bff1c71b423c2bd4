# SPDX-License-Identifier: Apache-2.0
"""The integer graph while it grows: what every layer's rule needs to know and may add."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.scale import Rescale, rescale
from intaglio.numerics.types import IntType
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.function import Function
from intaglio.ops.lookup import MAX_WIDTH
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.quantize import estimators, quantizers
from intaglio.quantize.quantizer import Coding, Quantizer
from intaglio.quantize.ranges import Choose, Observer, Range
from intaglio.quantize.scheme import Scheme

if TYPE_CHECKING:
    from intaglio.quantize.sample import Sample

#: Output codes finer than this part of an accumulator's step would only repeat each other.
FINEST_STEP = 2.0**-8

#: A result wider than the activations has a bit to spare, and it is best spent on range: scores
#: beyond the calibration's largest would saturate to a tie, and their order is what is asked for.
HEADROOM = 2.0


@dataclass(frozen=True)
class Tail:
    """A node and the rectifiers behind it that its requantizer does on the side.

    `names` are the values from the node's own to the last; `low` and `high` bound the last.
    """

    names: tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf

    @property
    def name(self) -> str:
        """The value that the requantizer makes."""
        return self.names[-1]


@dataclass
class Build:
    """A program half made. Only `quantize` sees it; it ends in `program`.

    `codings` says of each float value that has integers what they mean; its element always holds
    the zero point, while the one in `types` may have been narrowed to exclude it. `done` names the
    float nodes that are dealt with.
    """

    graph: Graph
    scheme: Scheme
    notes: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    sample: Sample | None = None
    codings: dict[str, Coding] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    meaning: dict[str, Quantization] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        """Of each value that rectifiers end in, the names of all the values on the way."""
        tails = [self.tail(node) for node in self.graph.nodes]
        return {tail.name: tail.names for tail in sorted(tails, key=lambda t: len(t.names))}

    def scheme_of(self, name: str) -> Scheme:
        """Return the scheme of a value, which the layer before its rectifiers may name too."""
        return self.scheme.at(*self._names.get(name, (name,)))

    def quantizer_of(self, name: str) -> Quantizer:
        """Return the rule for a value's scale."""
        return quantizers()[self.scheme_of(name).scale_rule]

    @cached_property
    def last(self) -> frozenset[str]:
        """The outputs, and the values they are a mere rearrangement or index of."""
        found = set(self.graph.outputs)
        for node in reversed(self.graph.nodes):
            if node.name in found and (node.op.rearranges or isinstance(node.op, Argmax)):
                found.update(node.inputs)
        return frozenset(found)

    @cached_property
    def indices(self) -> frozenset[str]:
        """The values made only for functions whose results are the program's own."""
        return frozenset(
            name
            for name, readers in self.graph.consumers.items()
            if name in self.graph.producers
            and name not in self.last
            and all(isinstance(n.op, Function) and n.name in self.last for n in readers)
        )

    def program(self, factors: Mapping[str, np.ndarray]) -> Program:
        """Return the finished program, its meaning freed of what channels were multiplied by."""
        for name in self.meaning:
            value = name if name in self.graph.types else name.rpartition(".")[0]
            if value in factors:
                self.meaning[name] = self.meaning[name].divided(factors[value])
        inputs = tuple(Value(v.name, self.types[v.name]) for v in self.graph.inputs)
        graph = replace(
            self.graph, inputs=inputs, nodes=tuple(self.nodes), constants=dict(self.constants)
        )
        return Program(graph, dict(self.meaning), self.notes)

    # --- adding ----------------------------------------------------------------------------------

    def constant(self, name: str, constant: Constant) -> str:
        """Add a constant and return its name."""
        self.constants[name] = constant
        self.types[name] = constant.type
        return name

    def emit(self, node: Node, meaning: Quantization | None = None) -> str:
        """Add an operator on integers and return its name.

        Raises:
            ModelError: its integers would be wider than any supported.
        """
        try:
            self.types[node.name] = node.op.infer(*(self.types[name] for name in node.inputs))
        except ModelError as error:
            raise ModelError(f"{node}: {error}") from None
        self.nodes.append(node)
        if meaning is not None:
            self.meaning[node.name] = meaning
        return node.name

    def settle(self, name: str, coding: Coding) -> None:
        """Declare that a float value has its integers under its own name."""
        self.codings[name] = coding
        self.meaning[name] = coding.quantization
        self.done.add(name)

    def multiply(
        self, name: str, source: str, ratio: Rescale, coding: Coding, origin: str = ""
    ) -> str:
        """Add the requantize that brings `source` to a coding."""
        multiplier = self.constant(f"{name}.multiplier", Constant.integers(ratio.multiplier))
        op = Requantize(ratio.shift, coding.zero_point, coding.element)
        return self.emit(Node(name, op, (source, multiplier), origin), coding.quantization)

    def requantize(self, tail: Tail, source: str, factors: np.ndarray, coding: Coding) -> None:
        """Bring an accumulator to the codes and bounds of its tail.

        Saturation bounds a value at the ends of its type, so a type that ends at the bounds is
        taken where there is one; otherwise a clip follows. `factors` are the accumulator's scales
        over the coding's.
        """
        origin, ratio = self.graph.producers[tail.name].origin, rescale(factors)
        low, high = coding.code(tail.low), coding.code(tail.high)
        ending = IntType.holding(low, high)
        if low <= coding.zero_point <= high and (low, high) == (ending.min, ending.max):
            coding = replace(coding, element=ending)
        if (low, high) == (coding.element.min, coding.element.max):
            self.multiply(tail.name, source, ratio, coding, origin)
        else:
            wide = self.multiply(f"{tail.name}.wide", source, ratio, coding)
            self.emit(Node(tail.name, Clip(low, high), (wide,), origin))
        self.settle(tail.name, coding)
        self.done.update(tail.names)

    # --- deciding --------------------------------------------------------------------------------

    def tail(self, node: Node) -> Tail:
        """Follow the relu and clip nodes that alone read this node's value."""
        tail = Tail((node.name,))
        while tail.name not in self.graph.outputs:
            readers = self.graph.consumers.get(tail.name, ())
            bounds = _bounds(readers[0]) if len(readers) == 1 else None
            if bounds is None:
                break
            low, high = (min(max(bound, bounds[0]), bounds[1]) for bound in (tail.low, tail.high))
            tail = Tail((*tail.names, readers[0].name), low, high)
        return tail

    def coding(self, name: str, step: float = 0.0) -> Coding:
        """Choose the integers of a value, not much finer than the step of what it is made from."""
        choose = self.choose(name)
        coding = choose(self.ranges[name])
        if coding.scale < step * FINEST_STEP:
            wider = 2.0 ** math.ceil(math.log2(step * FINEST_STEP / coding.scale))
            coding = choose(self.ranges[name].scaled(wider))
        return coding

    def choose(self, name: str) -> Choose:
        """Return what makes a value's coding of its range."""
        scheme, quantizer = self.scheme_of(name), self.quantizer_of(name)
        element = scheme.activation_type
        if name in self.indices:
            # As wide as a table takes, lest a wide result has few different values.
            width = max(element.width, min(scheme.output_type.width, MAX_WIDTH))
            element = replace(element, width=width)
        if name not in self.last:
            return lambda range_: quantizer.activation(range_, element)
        output = scheme.output_type
        room = HEADROOM if self._wide(name) else 1.0
        return lambda range_: Coding(output, quantizer.symmetric(range_.magnitude * room, output))

    def observer(self, name: str) -> Observer:
        """Return what looks for a value's range; a wide result has that of all values seen."""
        scheme = self.scheme_of(name)
        wide = name in self.last and self._wide(name)
        return estimators()["min_max" if wide else scheme.estimator](self.choose(name))

    def _wide(self, name: str) -> bool:
        scheme = self.scheme_of(name)
        return scheme.output_type.width > scheme.activation_type.width


def _bounds(node: Node) -> tuple[float, float] | None:
    """Return between which reals a node keeps its input, or None if it does more than that."""
    match node.op:
        case Relu():
            return 0.0, math.inf
        case Clip():
            return node.op.low, node.op.high
        case _:
            return None


def code_inside(node: Node, coding: Coding, real: float, does: str) -> int:
    """Return the code of a real number that must not saturate; `does` says what for.

    Raises:
        QuantizationError: it lies outside what the codes reach.
    """
    lowest, highest = (
        coding.quantization.dequantize(np.array(bound)).item()
        for bound in (coding.element.min, coding.element.max)
    )
    if not lowest - coding.scale / 2 <= real <= highest + coding.scale / 2:
        raise QuantizationError(
            f"{node} must {does} a value in its input's range {lowest:.4g}..{highest:.4g}, "
            f"not {real}: give calibration data that reaches it"
        )
    return coding.code(real)
