# SPDX-License-Identifier: Apache-2.0
"""Small float graphs to quantise."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
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


def separable(seed: int = 0) -> Graph:
    """Blocks of a depthwise and a pointwise convolution, and one dilated and in groups."""
    around = (1, 1, 1, 1)
    each, strided = Conv2d(padding=around, groups=4), Conv2d((2, 2), around, groups=4)
    return network(
        (6, 6, 2),
        (
            "c1",
            Conv2d(padding=(2, 2, 2, 2), dilation=(2, 2)),
            "x",
            normal(seed, 4, 3, 3, 2),
            normal(seed + 1, 4),
        ),
        ("r1", Relu(), "c1"),
        ("d2", each, "r1", normal(seed + 2, 4, 3, 3, 1), normal(seed + 3, 4)),
        ("r2", Clip(0, 6), "d2"),
        ("p2", Conv2d(), "r2", normal(seed + 4, 4, 1, 1, 4), normal(seed + 5, 4)),
        ("d3", strided, "p2", normal(seed + 6, 8, 3, 3, 1), normal(seed + 7, 8)),
        ("r3", Relu(), "d3"),
        ("p3", Conv2d(groups=2), "r3", normal(seed + 8, 6, 1, 1, 4), normal(seed + 9, 6)),
        ("s4", AveragePool((3, 3), (3, 3)), "p3"),
    )


def growing(seed: int = 0) -> Graph:
    """Convolve to a smaller image, and with transposed convolutions back to a larger one."""
    around = (1, 1, 1, 1)
    each = ConvTranspose2d((1, 2), output_padding=(0, 1), groups=3)
    return network(
        (6, 6, 2),
        ("c1", Conv2d((2, 2), around), "x", normal(seed, 4, 3, 3, 2), normal(seed + 1, 4)),
        ("r1", Relu(), "c1"),
        (
            "t2",
            ConvTranspose2d((2, 2), around),
            "r1",
            normal(seed + 2, 3, 4, 4, 4),
            normal(seed, 3),
        ),
        ("t3", each, "t2", normal(seed + 3, 3, 2, 2, 1), normal(seed + 4, 3)),
    )
