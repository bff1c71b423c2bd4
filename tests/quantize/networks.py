# SPDX-License-Identifier: Apache-2.0
"""Small float graphs to quantise."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu

#: A node: its name, its operator, and its operands; an array is made a constant.
Layer = tuple[str, Operator, *tuple[str | np.ndarray, ...]]


def network(shape: tuple[int, ...], *layers: Layer, outputs: tuple[str, ...] = ()) -> Graph:
    """Build a graph over the input `x`; its output is the last node unless others are named."""
    nodes, constants = [], {}
    for name, op, *operands in layers:
        names = []
        for operand, given in zip(op.operands, operands, strict=True):
            if isinstance(given, str):
                names.append(given)
            else:
                names.append(f"{name}.{operand}")
                constants[names[-1]] = Constant(given, FLOAT32)
        nodes.append(Node(name, op, tuple(names), origin=f"/{name}"))
    value = Value("x", TensorType(shape, FLOAT32))
    return Graph("g", (value,), tuple(nodes), outputs or (nodes[-1].name,), constants)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def uniform(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def small(seed: int = 0) -> Graph:
    """A little of everything LeNet is made of."""
    return network(
        (6, 6, 2),
        ("c1", Conv2d(padding=(1, 1, 1, 1)), "x", normal(seed, 3, 3, 3, 2), normal(seed + 1, 3)),
        ("r1", Relu(), "c1"),
        ("s2", AveragePool((2, 2), (2, 2)), "r1"),
        ("flat", Flatten(), "s2"),
        ("f3", Matmul(), "flat", normal(seed + 2, 4, 27) / 4, normal(seed + 3, 4)),
    )
