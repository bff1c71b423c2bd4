# SPDX-License-Identifier: Apache-2.0
"""Floats that are multiples of a step: what a quantizer in a trained network does to a value.

    code = clip(round(x / scale[c]) + zero_point, low, high)
    y = scale[c] * (code - zero_point)

With `offset_first` the zero point is added before rounding, which differs at ties alone.

Shapes: x (..., C), scale of one number or C; y as x. Floats only: `quantize` turns it into the
integers it stands for. Computed in float32, one operation after the other, as ONNX defines
QuantizeLinear and QONNX defines Quant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding, round_real


@dataclass(frozen=True)
class FakeQuantize(Operator):
    """Round to codes low..high at a scale, and go back to reals."""

    name: ClassVar[str] = "fake_quantize"
    jumps: ClassVar[bool] = True

    scale: tuple[float, ...]
    zero_point: int
    low: int
    high: int
    rounding: Rounding = Rounding.HALF_EVEN
    offset_first: bool = False

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of x."""
        (x,) = types
        if x.element != FLOAT32:
            raise ModelError(f"fake_quantize must be given floats, not {x}")
        if len(self.scale) not in (1, x.channels):
            raise ModelError(f"scale must be 1 or {x.channels} numbers, not {len(self.scale)}")
        if not all(math.isfinite(s) and s > 0 for s in self.scale):
            raise ModelError(f"scale must be finite and positive, not {min(self.scale)}")
        if self.low > self.high:
            raise ModelError(f"codes must go from low to high, not {self.low}..{self.high}")
        return x

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Quantise and dequantise a batch."""
        (x,) = arrays
        scale, zero = np.asarray(self.scale, dtype=x.dtype), np.asarray(self.zero_point, x.dtype)
        return (self.codes(x, scale) - zero) * scale

    def codes(self, x: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the codes of numbers as floats, at a scale that broadcasts to them."""
        zero = np.asarray(self.zero_point, x.dtype)
        if self.offset_first:
            codes = round_real(x / scale + zero, self.rounding)
        else:
            codes = round_real(x / scale, self.rounding) + zero
        return np.clip(codes, self.low, self.high)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)
