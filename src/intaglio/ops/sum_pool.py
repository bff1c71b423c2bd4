# SPDX-License-Identifier: Apache-2.0
"""Sum over a window of each channel: the exact half of average pooling.

    y[p, q, c] = sum over r, s of x[p*stride + r - top, q*stride + s - left, c]

Shapes: x (H, W, C); y (P, Q, C). Outside the image x is `pad_value`: the zero point of x. Exact on
integers: the result is as wide as the sum needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from intaglio.ir.graph import Step
from intaglio.ir.types import TensorType
from intaglio.ops.accumulate import sum_element
from intaglio.ops.pad import Pad
from intaglio.ops.pool import Pool
from intaglio.ops.windows import pad, windows


@dataclass(frozen=True)
class SumPool(Pool):
    """Sum pooling."""

    name: ClassVar[str] = "sum_pool"

    pad_value: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, C) with the accumulator's type."""
        element = sum_element(types[0].element, self.kernel[0] * self.kernel[1])
        return TensorType(self.output_shape(types[0]), element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the sums of a batch."""
        (x,) = arrays
        wide = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.int64)
        return windows(pad(wide, self.padding, self.pad_value), self.kernel, self.stride).sum(
            axis=(3, 4)
        )

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:  # noqa: ARG002
        """Split padding off."""
        if not any(self.padding):
            return None
        padded = Step("padded", Pad(self.padding, self.pad_value), ("x",))
        return padded, Step("pool", replace(self, padding=(0, 0, 0, 0), pad_value=0), ("padded",))
