# SPDX-License-Identifier: Apache-2.0
"""Surround an image with a value.

    y[h + top, w + left, c] = x[h, w, c], and `value` elsewhere

Shapes: x (H, W, C); y (H + top + bottom, W + left + right, C). For integers the value is a code,
normally the zero point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.border import border
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.windows import Padding, pad


@dataclass(frozen=True)
class Pad(StreamOperator):
    """Constant padding of images; `padding` is (top, left, bottom, right)."""

    name: ClassVar[str] = "pad"

    padding: Padding
    value: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the larger image, of an element that also holds the value."""
        (x,) = types
        if len(x.shape) != 3:
            raise ModelError(f"pad must be given an (H, W, C) image, not {x}")
        if min(self.padding) < 0:
            raise ModelError(f"padding must be at least 0, not {self.padding}")
        top, left, bottom, right = self.padding
        height, width, channels = x.shape
        element = x.element
        if isinstance(element, IntType) and any(self.padding) and not self._fits(element):
            element = IntType.holding(min(element.min, self.value), max(element.max, self.value))
        return TensorType((height + top + bottom, width + left + right, channels), element)

    def _fits(self, element: IntType) -> bool:
        return element.min <= self.value <= element.max

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Pad a batch."""
        (x,) = arrays
        wide = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.int64)
        return pad(wide, self.padding, self.value)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each output element once."""
        return elementwise(self.infer(*types).shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Insert beats around the image."""
        return border(types[0], self.infer(*types), self.padding, self.value, fold.lanes_in)
