# SPDX-License-Identifier: Apache-2.0
"""Interpolation on integers: exact sums of weighted codes, then one division."""

from __future__ import annotations

import numpy as np

from intaglio.ir.graph import Node
from intaglio.ir.types import Quantization
from intaglio.numerics.scale import rescale
from intaglio.ops.upsample_bilinear import GAIN, UpsampleBilinear
from intaglio.ops.upsample_linear import UpsampleLinear
from intaglio.quantize.build import Build
from intaglio.quantize.quantizer import Coding


def bilinear(build: Build, node: Node, _op: UpsampleBilinear) -> None:
    """Rows, then columns, then a shift to the codes of the input.

    The weights of a pixel add up to 16, so the sum of codes with zero point z has zero point 16*z,
    and a sixteenth of it is the code of the mean.
    """
    (x,) = node.inputs
    coding = build.codings[x]
    rows = build.emit(
        Node(f"{node.name}.rows", UpsampleLinear(0), (x,)),
        Quantization((coding.scale / 4,), 4 * coding.zero_point),
    )
    total = build.emit(
        Node(f"{node.name}.sum", UpsampleLinear(1), (rows,)),
        Quantization((coding.scale / GAIN,), GAIN * coding.zero_point),
    )
    mean = Coding(build.types[x].integer, coding.scale)
    build.multiply(node.name, total, rescale(np.array([1.0 / GAIN])), mean, node.origin)
    build.settle(node.name, coding)
