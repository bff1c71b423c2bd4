# SPDX-License-Identifier: Apache-2.0
"""Another shape for the same elements in the same (channels-last) order: nothing moves.

Shapes: x any; y `shape`, of equal size. The batch axis takes no part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.unit import Fold, StreamOperator, Unit
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType


@dataclass(frozen=True)
class Reshape(StreamOperator):
    """Renaming of axes."""

    name: ClassVar[str] = "reshape"
    rearranges: ClassVar[bool] = True

    shape: tuple[int, ...]

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the new shape of the same element."""
        if math.prod(self.shape) != types[0].size:
            raise ModelError(f"shape must hold {types[0].size} elements, not {list(self.shape)}")
        return TensorType(self.shape, types[0].element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Reshape a batch."""
        return arrays[0].reshape(len(arrays[0]), *self.shape)

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
