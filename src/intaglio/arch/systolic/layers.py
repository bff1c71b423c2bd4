# SPDX-License-Identifier: Apache-2.0
"""A program as layers of an array: sums over taps, scaled; one short rule for each operator.

Everything that an array runs has one form: products of a window with weights are summed up (or
the largest is kept), then scaled and limited. Pooling and sums of two tensors are such products,
with weights of one. What only names or joins values (flatten, concat) is resolved here: it takes no
time on an array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from intaglio.ops.reshape import Reshape
from intaglio.ops.sum_pool import SumPool

Shape = tuple[int, int, int]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Scale:
    """`y = saturate(zero_point + round((x * multiplier + remainder) / 2^shift))`, low .. high.

    Half up; the remainder is less than the multiplier: what is more is in the layer's bias.

    Shapes: multiplier and remainder [K] or [1].
    """

    multiplier: np.ndarray
    shift: int
    zero_point: int
    low: int
    high: int
    remainder: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))

    @classmethod
    def identity(cls, element: IntType) -> Scale:
        """Return the scale that changes no value of a type."""
        return cls(np.ones(1, np.int64), 0, 0, element.min, element.max)


@dataclass(frozen=True, eq=False)
class Term:
    """Products of a value's windows with weights; `scale` is only there where two are added.

    Shapes: the value is seen as `shape` (H, W, C); weight [K, R, S, C/groups]; `origin` is the row
    and column of the first tap, which padding makes negative.
    """

    value: str
    shape: Shape
    element: IntType
    weight: np.ndarray
    groups: int = 1
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    origin: Pair = (0, 0)
    pad_value: int = 0
    scale: Scale | None = None

    @property
    def macs(self) -> int:
        """Products of one output pixel."""
        return int(self.weight.size)


@dataclass(frozen=True, eq=False)
class Layer:
    """One or two terms, summed up and scaled; `name` is the value it makes.

    Shapes: shape (P, Q, K); bias [K].
    """

    name: str
    node: str
    shape: Shape
    element: IntType
    terms: tuple[Term, ...]
    bias: np.ndarray
    scale: Scale
    maximum: bool = False

    @property
    def macs(self) -> int:
        """Products of a frame, those of weights that are one by nature included."""
        return self.shape[0] * self.shape[1] * sum(term.macs for term in self.terms)


@dataclass(frozen=True)
class Part:
    """A stored value and its channels within what reads it."""

    value: str
    channels: int


@dataclass(frozen=True)
class Network:
    """Layers in order, what they begin with, and where values that are read lie.

    `parts` holds, for every value that a term reads, the stored values it is made of; `packed` are
    those that are read in another shape.
    """

    name: str
    source: Value
    layers: tuple[Layer, ...]
    parts: Mapping[str, tuple[Part, ...]]
    packed: frozenset[str] = frozenset()

    def read_by(self, term: Term) -> tuple[Part, ...]:
        """Return the stored values that a term reads, each with the channels seen of it."""
        parts = self.parts[term.value]
        if term.value not in self.packed:
            return parts
        (part,) = parts
        return (replace(part, channels=term.shape[2]),)


def network(program: Program) -> Network:
    """Return a program's layers.

    Raises:
        ModelError: a node cannot be run by an array; it is named, with the reason.
    """
    graph = program.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(f"{graph.name} must have one input and one output for an array")
    return _Reader(graph).read()


class _Reader:
    """Walks from the output to the input, once for each value that has to be stored."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.layers: dict[str, Layer] = {}
        self.parts: dict[str, tuple[Part, ...]] = {}
        self.packed: set[str] = set()

    def read(self) -> Network:
        """Return the network."""
        output = self.alias(self.graph.outputs[0])
        node = self.graph.producers.get(output)
        if node is None or isinstance(node.op, Concat):
            raise ModelError(f"the output of an array must be made by a layer, not {output!r}")
        self.store(output)
        return Network(
            self.graph.name,
            self.graph.inputs[0],
            tuple(self.layers.values()),
            self.parts,
            frozenset(self.packed),
        )

    def alias(self, value: str) -> str:
        """Follow what only gives a value another shape back to what makes it."""
        node = self.graph.producers.get(value)
        while node is not None and isinstance(node.op, Flatten | Reshape):
            value = node.inputs[0]
            node = self.graph.producers.get(value)
        return value

    def source(self, value: str, *, frame: bool = False) -> tuple[str, Shape, IntType]:
        """Have a value stored, and return its stored name, how it is seen, and its element.

        With `frame` it is seen as it is stored, whatever its shape is here.
        """
        name = self.alias(value)
        type_ = self.graph.types[name]
        if name not in self.parts:
            found = tuple(self.split(name))
            for part in found:
                self.store(part.value)
            self.parts[name] = found
        stored = _image(type_)
        seen = stored if frame else _image(self.graph.types[value])
        if seen != stored:
            if len(self.parts[name]) > 1:
                raise ModelError(f"{value!r} must not be a join in another shape for an array")
            self.packed.add(name)
        return name, seen, type_.integer

    def split(self, name: str) -> list[Part]:
        """Take a concatenation of channels apart."""
        node = self.graph.producers.get(name)
        if node is None or not isinstance(node.op, Concat):
            return [Part(name, _image(self.graph.types[name])[2])]
        if node.op.axis != len(self.graph.types[name].shape) - 1:
            raise ModelError(f"{node}: an array joins channels only, not axis {node.op.axis}")
        elements = {self.graph.types[i].integer for i in node.inputs}
        if len(elements) > 1:
            raise ModelError(
                f"{node}: an array joins values of one type, not {sorted(map(str, elements))}"
            )
        return [part for operand in node.inputs for part in self.split(self.alias(operand))]

    def store(self, name: str) -> None:
        """Make the layer of a value, after those it needs."""
        if name in self.layers or name not in self.graph.producers:
            return
        node = self.graph.producers[name]
        type_ = self.graph.types[name]
        bias = np.zeros(1, np.int64)
        if isinstance(node.op, Requantize):
            scale, below = requantize_scale(node, node.op, self.graph), node.inputs[0]
        elif isinstance(node.op, RequantizeAffine):
            scale, bias = affine_scale(node, node.op, self.graph)
            below = node.inputs[0]
        else:
            scale, below = Scale.identity(type_.integer), name
        maker = self.graph.producers.get(self.alias(below))
        if maker is not None and type(maker.op) in RULES:
            layer = RULES[type(maker.op)](self, maker, maker.op)
        elif below != name:
            layer = self.copy(below)
        else:
            raise ModelError(f"{node} has no place on an array: use the dataflow architecture")
        self.layers[name] = replace(
            layer,
            name=name,
            node=node.name,
            element=type_.integer,
            scale=scale,
            bias=layer.bias + bias,
        )

    def copy(self, value: str, scale: Scale | None = None) -> Layer:
        """Return a layer that reads every element once."""
        term = replace(self.term(value, depthwise=(1, 1)), scale=scale)
        return _layer(term.shape, (term,))

    def term(self, value: str, depthwise: Pair, **attributes: Any) -> Term:
        """Return a term that sums each channel's window of ones by itself."""
        name, shape, element = self.source(value)
        weight = np.ones((shape[2], *depthwise, 1), np.int64)
        return Term(name, shape, element, weight, shape[2], **attributes)


def _image(type_: TensorType) -> Shape:
    shape = (1, 1, 1, *type_.shape)[-3:]
    if len(type_.shape) > 3:
        raise ModelError(f"an array takes frames of at most three axes, not {type_}")
    return shape[0], shape[1], shape[2]


def _layer(
    shape: Shape, terms: tuple[Term, ...], bias: np.ndarray | None = None, *, maximum: bool = False
) -> Layer:
    """Return a layer that is named and scaled by what follows it."""
    some = IntType.holding(0, 1)
    bias = np.zeros(shape[2], np.int64) if bias is None else bias.astype(np.int64)
    return Layer("", "", shape, some, terms, bias, Scale.identity(some), maximum)


def requantize_scale(node: Node, op: Requantize, graph: Graph) -> Scale:
    """Return the scale of a requantize.

    Raises:
        ModelError: it does not round half up.
    """
    if op.rounding is not Rounding.HALF_UP:
        raise ModelError(f"{node}: rounding must be half_up in hardware, not {op.rounding.value}")
    multiplier = graph.constants[node.inputs[1]].data.astype(np.int64)
    return Scale(multiplier, op.shift, op.zero_point, op.element.min, op.element.max)


def affine_scale(node: Node, op: RequantizeAffine, graph: Graph) -> tuple[Scale, np.ndarray]:
    """Return the scale of a requantize with an addend, and what of that goes into the bias.

    Raises:
        ModelError: ties go to the even, or a multiplier is negative.
    """
    if op.ties is not Ties.UP:
        raise ModelError(f"{node}: ties must go up on an array, not to the {op.ties.value}")
    multiplier, addend = (graph.constants[name].data.astype(np.int64) for name in node.inputs[1:])
    if multiplier.min() < 1:
        raise ModelError(f"{node}: multipliers must be positive on an array")
    bias, remainder = np.divmod(addend - ((1 << op.shift) >> 1), multiplier)
    limits = op.element.min, op.element.max
    return Scale(multiplier, op.shift, op.zero_point, *limits, remainder), bias


# --- one rule for each operator -----------------------------------------------------------------

#: What a rule is given: the reader, the node whose sums are asked for, its operator once more.
Rule = Callable[[_Reader, Node, Any], Layer]


def _conv2d(reader: _Reader, node: Node, op: Conv2d) -> Layer:
    constants = reader.graph.constants
    name, shape, element = reader.source(node.inputs[0])
    term = Term(
        name,
        shape,
        element,
        constants[node.inputs[1]].data.astype(np.int64),
        op.groups,
        op.stride,
        op.dilation,
        (-op.padding[0], -op.padding[1]),
        op.pad_value,
    )
    out = _image(reader.graph.types[node.name])
    return _layer(out, (term,), constants[node.inputs[2]].data)


def _matmul(reader: _Reader, node: Node, _op: Matmul) -> Layer:
    """Run a dense layer as a window as large as the frame that was flattened."""
    constants = reader.graph.constants
    name, shape, element = reader.source(node.inputs[0], frame=True)
    weight = constants[node.inputs[1]].data.astype(np.int64).reshape(-1, *shape)
    term = Term(name, shape, element, weight)
    return _layer((1, 1, len(weight)), (term,), constants[node.inputs[2]].data)


def _sum_pool(reader: _Reader, node: Node, op: SumPool) -> Layer:
    origin = (-op.padding[0], -op.padding[1])
    term = reader.term(
        node.inputs[0], op.kernel, stride=op.stride, origin=origin, pad_value=op.pad_value
    )
    return _layer(_image(reader.graph.types[node.name]), (term,))


def _max_pool(reader: _Reader, node: Node, op: MaxPool) -> Layer:
    lowest = reader.graph.types[node.inputs[0]].integer.min
    origin = (-op.padding[0], -op.padding[1])
    term = reader.term(node.inputs[0], op.kernel, stride=op.stride, origin=origin, pad_value=lowest)
    return _layer(_image(reader.graph.types[node.name]), (term,), maximum=True)


def _add(reader: _Reader, node: Node, _op: Add) -> Layer:
    """Add two stored values, each scaled in its own way by what stands before the sum."""
    terms: list[Term] = []
    for operand in node.inputs:
        maker = reader.graph.producers.get(reader.alias(operand))
        if maker is not None and isinstance(maker.op, Requantize):
            stored, scale = maker.inputs[0], requantize_scale(maker, maker.op, reader.graph)
            below = reader.graph.producers.get(reader.alias(stored))
            if below is None or type(below.op) not in RULES or isinstance(below.op, MaxPool):
                terms += reader.copy(stored, scale).terms
                continue
        element = reader.graph.types[operand].integer
        terms += reader.copy(operand, Scale.identity(element)).terms
    return _layer(_image(reader.graph.types[node.name]), tuple(terms))


RULES: Mapping[type[Operator], Rule] = {
    Add: _add,
    Conv2d: _conv2d,
    Matmul: _matmul,
    MaxPool: _max_pool,
    SumPool: _sum_pool,
}
