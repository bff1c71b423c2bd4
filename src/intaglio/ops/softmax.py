# SPDX-License-Identifier: Apache-2.0
"""Shares that add up to 1 along the last axis, on floats, or their logarithms.

    y[c] = exp(x[c]) / sum over k of exp(x[k])          logarithm: log(y[c])

Shapes: x (..., C); y as x. The order of y is that of x, so quantisation leaves it out where nothing
but the order is asked for; it has no integers elsewhere.
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
class Softmax(Operator):
    """Probabilities from scores; with `logarithm` their logarithms."""

    name: ClassVar[str] = "softmax"

    logarithm: bool = False

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of x."""
        (x,) = types
        if x.element != FLOAT32 or not x.shape:
            raise ModelError(f"softmax must be given floats with an axis, not {x}")
        return x

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute in float64, relative to the largest score so that nothing overflows."""
        (x,) = arrays
        scores = x.astype(np.float64)
        scores -= scores.max(axis=-1, keepdims=True)
        total = np.exp(scores).sum(axis=-1, keepdims=True)
        shares = scores - np.log(total) if self.logarithm else np.exp(scores) / total
        return shares.astype(x.dtype)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)
