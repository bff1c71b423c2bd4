# SPDX-License-Identifier: Apache-2.0
"""The index of the largest element of a vector; the first one where several are equal.

    y[0] = min { c : x[c] = max over all of x }

Shapes: x (C,); y (1,).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.maximum_index import maximum_index
from intaglio.hw.unit import Fold, StreamOperator, Unit
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Argmax(StreamOperator):
    """Classification."""

    name: ClassVar[str] = "argmax"

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return one index, an integer even where x holds floats."""
        if len(types[0].shape) != 1:
            raise ModelError(f"argmax must be given a vector, not {types[0]}")
        return TensorType((1,), IntType.holding(0, types[0].size - 1))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Find the index for a batch."""
        return arrays[0].argmax(axis=1, keepdims=True)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Compare each element once."""
        read = Access("x", ((("C", 1),),))
        return LoopNest({"C": types[0].size}, (read,), Access("output", ((),)))

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """One element at a time."""
        return iter((Fold(),))

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Compare element by element."""
        return maximum_index(types[0], self.infer(*types))
