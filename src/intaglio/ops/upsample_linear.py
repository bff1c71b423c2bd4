# SPDX-License-Identifier: Apache-2.0
"""Linear interpolation to twice the places of an axis, times four: half of the exact bilinear.

    y[2*j]     = 3*x[j] + x[j-1]
    y[2*j + 1] = 3*x[j] + x[j+1]

on the axis, beyond whose ends the first and last place are repeated. Shapes: x any; y with twice
the places. Exact on integers: two bits wider. New places lie a quarter of a place beside the old
ones, as with ONNX `half_pixel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.linear_upsample import linear_upsample
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, Index, LoopNest
from intaglio.ir.types import TensorType
from intaglio.ops.accumulate import sum_element


@dataclass(frozen=True)
class UpsampleLinear(StreamOperator):
    """Four times the linear interpolation along `axis`, which is any but the channels."""

    name: ClassVar[str] = "upsample_linear"

    axis: int

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the longer frame, of an element that holds four times every element."""
        (x,) = types
        if not 0 <= self.axis < len(x.shape) - 1:
            raise ModelError(f"axis must be one of {x} but not its last, not {self.axis}")
        shape = list(x.shape)
        shape[self.axis] *= 2
        return TensorType(tuple(shape), sum_element(x.element, 4))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Interpolate a batch."""
        (x,) = arrays
        wide = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.int64)
        axis = self.axis + 1
        places = np.arange(x.shape[axis])
        before = wide.take(np.maximum(places - 1, 0), axis)
        after = wide.take(np.minimum(places + 1, places[-1]), axis)
        pairs = np.stack((3 * wide + before, 3 * wide + after), axis + 1)
        return pairs.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Add two elements for each of the result; which is the second is no affine access."""
        shape = types[0].shape
        names = [f"D{axis}" for axis in range(len(shape))]
        read: tuple[Index, ...] = tuple(((name, 1),) for name in names)
        write = list(read)
        write[self.axis] = ((names[self.axis], 2), ("S", 1))
        nest = {**dict(zip(names, shape, strict=True)), "S": 2}
        return LoopNest(nest, (Access("x", read),), Access("output", tuple(write)))

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Hold two places, and give two for each that comes in."""
        return linear_upsample(types[0], self.infer(*types), self.axis, fold.lanes_in)
