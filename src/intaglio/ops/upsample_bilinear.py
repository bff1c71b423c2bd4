# SPDX-License-Identifier: Apache-2.0
"""Bilinear interpolation to twice the size, on floats. Quantisation makes it of exact sums.

    y[2*h + a, 2*w + b, c] = (9*x[h, w, c] + 3*x[h', w, c] + 3*x[h, w', c] + x[h', w', c]) / 16

where h' is h-1 for a = 0 and h+1 for a = 1, and w' in the same way; outside the image lies its
nearest pixel. That is ONNX `half_pixel`, torch `align_corners=False`. Shapes: x (H, W, C);
y (2*H, 2*W, C).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.upsample_linear import UpsampleLinear

#: What the exact sums of both axes are too large by.
GAIN = 16


@dataclass(frozen=True)
class UpsampleBilinear(Operator):
    """Bilinear interpolation of floats."""

    name: ClassVar[str] = "upsample_bilinear"

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the larger image of floats."""
        (x,) = types
        if len(x.shape) != 3:
            raise ModelError(f"upsample_bilinear must be given an (H, W, C) image, not {x}")
        if x.element != FLOAT32:
            raise ModelError(
                f"upsample_bilinear must be fed floats, not {x}: "
                "use upsample_linear on both axes and requantize"
            )
        height, width, channels = x.shape
        return TensorType((2 * height, 2 * width, channels), FLOAT32)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Interpolate a batch."""
        sums = UpsampleLinear(1).evaluate(UpsampleLinear(0).evaluate(*arrays))
        return sums / np.float32(GAIN)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest H A W B C; which neighbors are added is no affine access."""
        height, width, channels = types[0].shape
        read = Access("x", ((("H", 1),), (("W", 1),), (("C", 1),)))
        write = ((("H", 2), ("A", 1)), (("W", 2), ("B", 1)), (("C", 1),))
        nest = {"H": height, "A": 2, "W": width, "B": 2, "C": channels}
        return LoopNest(nest, (read,), Access("output", write))
