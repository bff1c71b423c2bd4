# SPDX-License-Identifier: Apache-2.0
"""Random graphs, float and integer, with any names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.lookup import MAX_WIDTH, Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.ops.softmax import Softmax
from intaglio.ops.sum_pool import SumPool

NAMES = st.text(min_size=1, max_size=6)


@dataclass
class Chain:
    """A graph under construction: each step reads the value before it."""

    draw: Any
    integer: bool
    names: list[str]
    random: np.random.Generator
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)

    def name(self) -> str:
        """Take the next unused name."""
        return self.names.pop()

    def constant(self, *shape: int) -> str:
        """Add a random constant."""
        name = self.name()
        if self.integer:
            self.constants[name] = Constant.integers(self.random.integers(-8, 8, shape))
        else:
            self.constants[name] = Constant(self.random.standard_normal(shape), FLOAT32)
        return name

    def step(self, x: Value, op: Operator, *others: str) -> Value:
        """Add a node that reads x."""
        types = [c.type for c in (self.constants.get(o) for o in others) if c is not None]
        types += [x.type] * (len(others) - len(types))
        origin = self.draw(st.text(max_size=3))
        node = Node(self.name(), op, (x.name, *others), origin)
        self.nodes.append(node)
        return Value(node.name, op.infer(x.type, *types))


def _padding(chain: Chain) -> tuple[int, int, int, int]:
    sides = [chain.draw(st.integers(0, 2)) for _ in range(4)]
    return sides[0], sides[1], sides[2], sides[3]


def _conv(chain: Chain, x: Value) -> Value:
    kernel = (chain.draw(st.integers(1, 2)), chain.draw(st.integers(1, 2)))
    out = chain.draw(st.integers(1, 3))
    weight, bias = chain.constant(out, *kernel, x.type.channels), chain.constant(out)
    value = chain.draw(st.integers(-3, 3)) if chain.integer else 0
    return chain.step(x, Conv2d((1, 2), _padding(chain), value), weight, bias)


def _max_pool(chain: Chain, x: Value) -> Value:
    return chain.step(x, MaxPool((2, 2), (1, 1), (1, 0, 0, 1)))


def _sum_pool(chain: Chain, x: Value) -> Value:
    if chain.integer:
        return chain.step(x, SumPool((1, 2), (1, 1), (0, 1, 0, 0), chain.draw(st.integers(0, 3))))
    return chain.step(x, AveragePool((1, 2), (1, 1), (0, 1, 0, 0), chain.draw(st.booleans())))


def _pad(chain: Chain, x: Value) -> Value:
    return chain.step(x, Pad(_padding(chain), chain.draw(st.integers(-3, 3))))


def _relu(chain: Chain, x: Value) -> Value:
    return chain.step(x, Relu())


def _clip(chain: Chain, x: Value) -> Value:
    return chain.step(x, Clip(-1.0, 3.0))


def _twice(chain: Chain, x: Value) -> Value:
    return chain.step(x, Add(), x.name)


def _function(chain: Chain, x: Value) -> Value:
    if chain.integer and x.type.integer.width > MAX_WIDTH:
        return chain.step(x, Clip(-9, 20))
    if chain.integer:
        codes, name = x.type.integer, chain.name()
        data = chain.random.integers(-8, 8, codes.max - codes.min + 1)
        chain.constants[name] = Constant.integers(data)
        return chain.step(x, Lookup(codes.min), name)
    kinds = [Function("tanh"), Function("leaky_relu", (0.1,)), Softmax(), Softmax(True)]
    return chain.step(x, chain.draw(st.sampled_from(kinds)))


def _scale(chain: Chain, x: Value) -> Value:
    if not chain.integer:
        channels = x.type.channels
        return chain.step(x, BatchNorm(), chain.constant(channels), chain.constant(channels))
    name = chain.name()
    chain.constants[name] = Constant.integers(chain.random.integers(1, 9, x.type.channels))
    return chain.step(x, Requantize(4, 1, IntType.parse("s5")), name)


STEPS = [_conv, _max_pool, _sum_pool, _pad, _relu, _clip, _twice, _function, _scale]


@st.composite
def graphs(draw: st.DrawFn, *, integer: bool | None = None) -> Graph:
    """Draw a graph of up to eight nodes."""
    whole = draw(st.booleans()) if integer is None else integer
    names = draw(st.lists(NAMES, min_size=50, max_size=50, unique=True))
    chain = Chain(draw, whole, names, np.random.default_rng(draw(st.integers(0, 999))))
    element = IntType.parse(draw(st.sampled_from(["u3", "s4", "s4n"]))) if whole else FLOAT32
    shape = (draw(st.integers(2, 4)), draw(st.integers(2, 4)), draw(st.integers(1, 3)))
    first = x = Value(chain.name(), TensorType(shape, element))
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5)):
        x = step(chain, x)
    if draw(st.booleans()):
        x = chain.step(x, draw(st.sampled_from([Flatten(), Reshape((x.type.size,))])))
        weight, bias = chain.constant(2, x.type.size), chain.constant(2)
        x = chain.step(x, Matmul(), weight, bias)
        if draw(st.booleans()):
            x = chain.step(x, Argmax())
    name, turned = draw(st.text(max_size=3)), draw(st.booleans())
    return Graph(name, (first,), tuple(chain.nodes), (x.name,), chain.constants, turned)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw an integer graph with a real meaning for its ends and some other values."""
    graph = draw(graphs(integer=True))
    scale = st.floats(2.0**-40, 2.0**40).map(lambda real: (real,))
    ends = [graph.inputs[0].name, *graph.outputs, graph.nodes[0].name]
    zero = st.integers(-5, 5)
    how = {n: Quantization(draw(scale), draw(zero)) for n in dict.fromkeys(ends)}
    return Program(graph, how, tuple(draw(st.lists(st.text(max_size=9), max_size=2))))
