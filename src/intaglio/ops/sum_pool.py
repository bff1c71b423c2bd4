# SPDX-License-Identifier: Apache-2.0
"""Sum over a window of each channel: the exact half of average pooling.

    y[p, q, c] = sum over r, s of x[p*stride + r - top, q*stride + s - left, c]

Shapes: x (H, W, C); y (P, Q, C). Outside the image x is `pad_value`: the zero point of x. Exact on
integers: the result is as wide as the sum needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from intaglio.hw.frame_pool import frame_pool
from intaglio.hw.unit import Fold, Unit
from intaglio.hw.window_pool import window_pool
from intaglio.ir.constant import Constant
from intaglio.ir.operator import Step
from intaglio.ir.types import TensorType
from intaglio.ops.accumulate import sum_element
from intaglio.ops.pad import Pad
from intaglio.ops.pool import StreamPool
from intaglio.ops.windows import pad, windows


@dataclass(frozen=True)
class SumPool(StreamPool):
    """Sum pooling."""

    name: ClassVar[str] = "sum_pool"

    pad_value: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, C) with the accumulator's type."""
        (x,) = types
        shape = self.output_shape(x)
        padded = Pad(self.padding, self.pad_value).infer(x)
        return TensorType(shape, sum_element(padded.element, self.kernel[0] * self.kernel[1]))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the sums of a batch."""
        (x,) = arrays
        wide = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.int64)
        return windows(pad(wide, self.padding, self.pad_value), self.kernel, self.stride).sum(
            axis=(3, 4)
        )

    # --- 4 unit --------------------------------------------------------------------------------

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Reduce windows over an image that is already padded."""
        (x,), y = types, self.infer(*types)
        if self.whole(x):
            return frame_pool(x, y, fold.lanes_in, maximum=False)
        return window_pool(x, y, self.kernel, self.stride, fold, maximum=False)

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        """Split padding off."""
        if not any(self.padding):
            return None
        padded = Step("padded", Pad(self.padding, self.pad_value), ("x",))
        return padded, Step("pool", replace(self, padding=(0, 0, 0, 0), pad_value=0), ("padded",))
