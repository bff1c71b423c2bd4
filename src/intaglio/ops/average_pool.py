# SPDX-License-Identifier: Apache-2.0
"""Mean over a window of each channel, on floats. Quantisation turns it into sum and requantize.

    y[p, q, c] = mean over r, s of x[p*stride + r - top, q*stride + s - left, c]

Shapes: x (H, W, C); y (P, Q, C). Outside the image x is 0; `count_padding` tells whether those
zeros count in the mean, as ONNX `count_include_pad` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.pool import Pool
from intaglio.ops.windows import pad, windows


@dataclass(frozen=True)
class AveragePool(Pool):
    """Average pooling of floats."""

    name: ClassVar[str] = "average_pool"

    count_padding: bool = True

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, C) of floats."""
        if types[0].element != FLOAT32:
            raise ModelError(
                f"average_pool must be fed floats, not {types[0]}: use sum_pool and requantize"
            )
        return TensorType(self.output_shape(types[0]), FLOAT32)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the means of a batch."""
        (x,) = arrays
        sums = windows(pad(x, self.padding, 0), self.kernel, self.stride).sum(axis=(3, 4))
        if self.count_padding or not any(self.padding):
            return sums / np.float32(self.kernel[0] * self.kernel[1])
        inside = pad(np.ones_like(x[:1, :, :, :1]), self.padding, 0)
        return sums / windows(inside, self.kernel, self.stride).sum(axis=(3, 4))
