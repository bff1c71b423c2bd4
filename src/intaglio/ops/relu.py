# SPDX-License-Identifier: Apache-2.0
"""Nothing below zero.

    y = max(x, zero_point)

Shapes: any; y as x. On integers `zero_point` is the code of zero; on floats it is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Relu(Operator):
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
