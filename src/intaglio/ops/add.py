# SPDX-License-Identifier: Apache-2.0
"""Sum of two tensors, element by element.

    z = x + y

Shapes: x and y equal; z the same. Exact on integers: one bit wider. Two integers may only be added
when they share a scale; the quantiser sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.adder import adder
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Add(StreamOperator):
    """Element-wise sum."""

    name: ClassVar[str] = "add"
    operands: ClassVar[tuple[str, ...]] = ("x", "y")

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of an element that holds every sum."""
        x, y = types
        if x.shape != y.shape:
            raise ModelError(f"operands must have one shape, not {x} and {y}")
        a, b = x.element, y.element
        if isinstance(a, IntType) and isinstance(b, IntType):
            return TensorType(x.shape, IntType.holding(a.min + b.min, a.max + b.max))
        if a != b:
            raise ModelError(f"operands must both be integers or both floats, not {x} and {y}")
        return TensorType(x.shape, FLOAT32)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Add two batches."""
        x, y = arrays
        if np.issubdtype(x.dtype, np.floating):
            return x + y
        return x.astype(np.int64) + y.astype(np.int64)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape, operands=2)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Take a beat of each stream together."""
        return adder(types[0], types[1], self.infer(*types), fold.lanes_in)
