# SPDX-License-Identifier: Apache-2.0
"""Maximum over a window of each channel.

    y[p, q, c] = max over r, s of x[p*stride + r - top, q*stride + s - left, c]

Shapes: x (H, W, C); y (P, Q, C). Outside the image x is the lowest value there is, so padding never
wins over an element. Exact: nothing is computed, only chosen.
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
from intaglio.ops.pad import Pad
from intaglio.ops.pool import StreamPool
from intaglio.ops.windows import pad, windows


@dataclass(frozen=True)
class MaxPool(StreamPool):
    """Maximum pooling."""

    name: ClassVar[str] = "max_pool"

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, C) of the same element."""
        return TensorType(self.output_shape(types[0]), types[0].element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the maxima of a batch."""
        (x,) = arrays
        floating = np.issubdtype(x.dtype, np.floating)
        lowest = -np.inf if floating else float(np.iinfo(x.dtype).min)
        return windows(pad(x, self.padding, lowest), self.kernel, self.stride).max(axis=(3, 4))

    # --- 4 unit --------------------------------------------------------------------------------

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Reduce windows over an image that is already padded."""
        (x,), y = types, self.infer(*types)
        if self.whole(x):
            return frame_pool(x, y, fold.lanes_in, maximum=True)
        return window_pool(x, y, self.kernel, self.stride, fold, maximum=True)

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        """Split padding off: pad with the lowest code of the type."""
        if not any(self.padding):
            return None
        padded = Step("padded", Pad(self.padding, types[0].integer.min), ("x",))
        return padded, Step("pool", replace(self, padding=(0, 0, 0, 0)), ("padded",))
