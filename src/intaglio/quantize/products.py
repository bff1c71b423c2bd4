# SPDX-License-Identifier: Apache-2.0
"""Products of two activations: exact, at the product of their scales.

Both operands are moved to zero point 0 first, which changes no number they stand for:

    s_x (q_x - z_x) * s_y (q_y - z_y)  =  (s_x s_y) * ((q_x - z_x) (q_y - z_y))

This holds for a product element by element and for the sums of a product of matrices.
"""

from __future__ import annotations

import math

import numpy as np

from intaglio.ir.graph import Node
from intaglio.ir.types import Quantization
from intaglio.numerics.scale import Rescale
from intaglio.numerics.types import IntType
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.mul import Mul
from intaglio.quantize.build import Build
from intaglio.quantize.quantizer import Coding


def multiply(build: Build, node: Node, op: Mul | BatchMatmul) -> None:
    """Mul and batch_matmul: an exact product, then one requantize."""
    tail = build.tail(node)
    names = [
        _centered(build, f"{node.name}.{operand}", name)
        for operand, name in zip(op.operands, node.inputs, strict=True)
    ]
    scale = math.prod(build.codings[name].scale for name in node.inputs)
    coding = build.coding(tail.name, step=scale)
    accumulator = build.emit(
        Node(f"{node.name}.acc", op, tuple(names), node.origin), Quantization((scale,))
    )
    build.requantize(tail, accumulator, np.array([scale / coding.scale]), coding)


def _centered(build: Build, name: str, source: str) -> str:
    """Return a value's codes with zero point 0: nothing is rounded and nothing saturates."""
    zero, scale = build.codings[source].zero_point, build.codings[source].scale
    if zero == 0:
        return source
    codes = build.types[source].integer
    # The offset is where code 0 goes, and must be a code too.
    element = IntType.holding(min(codes.min, 0) - zero, max(codes.max, 0) - zero)
    one = Rescale(np.ones(1, dtype=np.int64), 0)
    build.multiply(name, source, one, Coding(element, scale, -zero))
    build.meaning[name] = Quantization((scale,))
    return name
