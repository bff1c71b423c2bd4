# SPDX-License-Identifier: Apache-2.0
"""The axes of a frame in another order.

    y[i0, i1, ...] = x[j0, j1, ...]   where j[order[a]] = i[a]

Shapes: x any; y has on axis a the size of x on axis order[a]. The batch axis takes no part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.stream_reorder import stream_reorder
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.types import TensorType


@dataclass(frozen=True)
class Transpose(StreamOperator):
    """Permutation of axes; `order` holds axes of the frame, as numpy's transpose takes them."""

    name: ClassVar[str] = "transpose"
    rearranges: ClassVar[bool] = True

    order: tuple[int, ...]

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the permuted shape of the same element."""
        (x,) = types
        if sorted(self.order) != list(range(len(x.shape))):
            raise ModelError(f"order must name each axis of {x} once, not be {self.order}")
        return TensorType(tuple(x.shape[axis] for axis in self.order), x.element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Permute the axes of a batch."""
        return arrays[0].transpose(0, *(axis + 1 for axis in self.order))

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        shape = types[0].shape
        names = [f"D{axis}" for axis in range(len(shape))]
        read = tuple(((name, 1),) for name in names)
        write = tuple(((names[axis], 1),) for axis in self.order)
        nest = dict(zip(names, shape, strict=True))
        return LoopNest(nest, (Access("x", read),), Access("output", write))

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side where they stay channels."""
        stays = self.order[-1] == len(self.order) - 1
        return lane_folds(types[0].channels if stays else 1)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """Store what the moved axes span, whole frames at worst, and read it in the new order."""
        (x,), lanes = types, fold.lanes_in
        words = (*x.shape[:-1], x.channels // lanes)
        loops = [(words[axis], math.prod(words[axis + 1 :])) for axis in self.order]
        return stream_reorder(x, self.infer(x), loops, lanes, fold.slack)
