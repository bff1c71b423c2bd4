# SPDX-License-Identifier: Apache-2.0
"""Small programs that several tests share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize

U8 = IntType(8, signed=False)
S8 = IntType(8, signed=True)


def program(
    shape: Sequence[int],
    nodes: Sequence[Node],
    constants: dict[str, Constant] | None = None,
    element: IntType = U8,
    name: str = "network",
) -> Program:
    """Make a program of one input `x` whose last node is its output."""
    value = Value("x", TensorType(tuple(shape), element))
    graph = Graph(name, (value,), tuple(nodes), (nodes[-1].name,), constants or {})
    return Program(graph, dict.fromkeys(("x", nodes[-1].name), Quantization((1.0,))))


def codes(element: IntType, *shape: int, seed: int = 0) -> Constant:
    """Random codes of a type."""
    random = np.random.default_rng(seed)
    return Constant(random.integers(element.min, element.max, shape, endpoint=True), element)


def convolutional(name: str = "network") -> Program:
    """Convolution, requantize, pooling, dense layer: the shape of LeNet at a tenth of its size."""
    return program(
        (8, 8, 2),
        [
            Node("conv", Conv2d(), ("x", "w", "b")),
            Node("scaled", Requantize(20, 3, U8), ("conv", "m")),
            Node("pool", MaxPool((2, 2), (2, 2)), ("scaled",)),
            Node("flat", Flatten(), ("pool",)),
            Node("dense", Matmul(), ("flat", "v", "c")),
        ],
        {
            "w": codes(S8, 4, 3, 3, 2),
            "b": codes(IntType(12, signed=True), 4),
            "m": codes(IntType(12, signed=False), 4),
            "v": codes(S8, 5, 36),
            "c": codes(IntType(12, signed=True), 5),
        },
        name=name,
    )


def small() -> Program:
    """A convolution over rows that lie in RAM, and a product too wide for 16 bits."""
    return program(
        (6, 12, 2),
        [
            Node("conv", Conv2d(), ("x", "w", "b")),
            Node("scaled", Requantize(20, 3, U8), ("conv", "m")),
        ],
        {"w": codes(S8, 2, 2, 2, 2), "b": codes(S8, 2), "m": codes(U8, 2)},
    )


def residual() -> Program:
    """A fork whose one branch waits for a window of rows before it gives anything."""
    return program(
        (6, 9, 2),
        [
            Node("low", Relu(), ("x",)),
            Node("conv", Conv2d((1, 1), (1, 1, 1, 1)), ("low", "w", "b")),
            Node("scaled", Requantize(9, 0, U8), ("conv", "m")),
            Node("sum", Add(), ("low", "scaled")),
        ],
        {
            "w": codes(S8, 2, 3, 3, 2),
            "b": codes(S8, 2),
            "m": codes(IntType(6, signed=False), 1),
        },
    )
