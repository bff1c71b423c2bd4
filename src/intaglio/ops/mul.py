# SPDX-License-Identifier: Apache-2.0
"""Product of two tensors, element by element.

    z = x * y

Shapes: x and y equal; z the same. Exact on integers: as wide as the product needs. The codes of
both must have zero point 0; the quantiser sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.product import product
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.accumulate import product_element


@dataclass(frozen=True)
class Mul(StreamOperator):
    """Element-wise product."""

    name: ClassVar[str] = "mul"
    operands: ClassVar[tuple[str, ...]] = ("x", "y")

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of an element that holds every product."""
        x, y = types
        if x.shape != y.shape:
            raise ModelError(f"operands must have one shape, not {x} and {y}")
        a, b = x.element, y.element
        if isinstance(a, IntType) and isinstance(b, IntType):
            return TensorType(x.shape, product_element(a, b))
        if a != b:
            raise ModelError(f"operands must both be integers or both floats, not {x} and {y}")
        return TensorType(x.shape, FLOAT32)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Multiply two batches."""
        x, y = arrays
        if np.issubdtype(x.dtype, np.floating):
            return x * y
        return x.astype(np.int64) * y.astype(np.int64)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Multiply each element once."""
        return elementwise(types[0].shape, operands=2, multiplies=True)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Take a beat of each stream together."""
        return product(types[0], types[1], self.infer(*types), fold.lanes_in)
