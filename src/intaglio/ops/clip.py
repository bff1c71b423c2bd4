# SPDX-License-Identifier: Apache-2.0
"""Nothing below `low` or above `high`.

    y = min(max(x, low), high)

Shapes: any; y as x. On integers the bounds are codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.clamp import clamp
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Clip(StreamOperator):
    """Clamp to a range."""

    name: ClassVar[str] = "clip"

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ModelError(f"clip's low must be at most its high, not {self.low} > {self.high}")

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of the narrowest element that is left."""
        (x,) = types
        if not isinstance(x.element, IntType):
            return x
        if not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ModelError(f"bounds on integers must be codes, not {self.low} and {self.high}")
        bounds = (min(max(b, self.low), self.high) for b in (x.element.min, x.element.max))
        low, high = (int(bound) for bound in bounds)
        return TensorType(x.shape, IntType.holding(low, high))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Clamp a batch."""
        (x,) = arrays
        if np.issubdtype(x.dtype, np.floating):
            return np.clip(x, np.float32(self.low), np.float32(self.high))
        return np.clip(x.astype(np.int64), int(self.low), int(self.high))

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
        """Clamp from both sides."""
        return clamp(types[0], self.infer(*types), int(self.low), int(self.high), fold.lanes_in)
