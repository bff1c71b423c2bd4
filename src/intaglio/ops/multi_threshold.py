# SPDX-License-Identifier: Apache-2.0
"""Floats by how many thresholds they reach: activations of one or few bits.

    y = scale * (number of t with x >= thresholds[c, t]) + offset

Shapes: x (..., C), thresholds [C, T] or [1, T], ascending; y as x. Floats only: `quantize` turns it
into the integers it stands for. A sign that is never zero has the threshold 0, scale 2, offset -1.

Source: Umuroglu and Jahre, "Streamlined Deployment for Quantized Neural Networks", 2017, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType


@dataclass(frozen=True)
class MultiThreshold(Operator):
    """Count thresholds."""

    name: ClassVar[str] = "multi_threshold"
    jumps: ClassVar[bool] = True
    operands: ClassVar[tuple[str, ...]] = ("x", "thresholds")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"thresholds"})

    scale: float = 1.0
    offset: float = 0.0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of x."""
        x, thresholds = types
        if x.element != FLOAT32:
            raise ModelError(f"multi_threshold must be given floats, not {x}")
        if len(thresholds.shape) != 2 or thresholds.shape[0] not in (1, x.channels):
            raise ModelError(f"thresholds must be [{x.channels}, T] or [1, T], not {thresholds}")
        return x

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Count for a batch, threshold by threshold: a comparison of all would need T times x."""
        x, thresholds = arrays
        count = np.zeros(x.shape, dtype=x.dtype)
        for column in thresholds.T:
            count += x >= column
        return count * np.asarray(self.scale, x.dtype) + np.asarray(self.offset, x.dtype)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Compare each element with every threshold."""
        return elementwise(types[0].shape)
