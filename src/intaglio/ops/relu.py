# SPDX-License-Identifier: Apache-2.0
"""Nothing below zero.

    y = max(x, zero_point)

Shapes: any; y as x. On integers `zero_point` is the code of zero; on floats it is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.hw.clamp import clamp
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Relu(StreamOperator):
    """Rectifier."""

    name: ClassVar[str] = "relu"

    zero_point: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of the narrowest element that is left."""
        (x,) = types
        if not isinstance(x.element, IntType):
            return x
        low, high = (max(bound, self.zero_point) for bound in (x.element.min, x.element.max))
        return TensorType(x.shape, IntType.holding(low, high))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Rectify a batch."""
        (x,) = arrays
        wide = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.int64)
        return np.maximum(wide, self.zero_point)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Clamp from below."""
        x, y = types[0], self.infer(*types)
        return clamp(x, y, self.zero_point, y.integer.max, fold.lanes_in)
