# SPDX-License-Identifier: Apache-2.0
"""All elements of a frame as one vector, in channels-last order: nothing moves.

Shapes: x any; y (size of x,).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.hw.unit import Fold, StreamOperator, Unit
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType


@dataclass(frozen=True)
class Flatten(StreamOperator):
    """A frame as a vector."""

    name: ClassVar[str] = "flatten"
    rearranges: ClassVar[bool] = True

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return a vector of the same element."""
        return TensorType((types[0].size,), types[0].element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Flatten a batch."""
        return arrays[0].reshape(len(arrays[0]), -1)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Nothing to choose."""
        return iter((Fold(),))

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """The stream passes as it is."""
        return None
