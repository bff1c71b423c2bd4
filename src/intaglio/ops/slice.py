# SPDX-License-Identifier: Apache-2.0
"""A part of a frame: along each axis the places from a start to before a stop, a step apart.

    y[i, j, ...] = x[start0 + i*step0, start1 + j*step1, ...]

Shapes: x any; y with ceil((stop - start) / step) places on each axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.stream_slice import Cut, stream_slice
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.types import TensorType


@dataclass(frozen=True)
class Slice(StreamOperator):
    """Cutting out: `starts`, `stops` and `steps` hold a number for each axis of the frame."""

    name: ClassVar[str] = "slice"
    rearranges: ClassVar[bool] = True

    starts: tuple[int, ...]
    stops: tuple[int, ...]
    steps: tuple[int, ...]

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return what is left, of the same element."""
        (x,) = types
        if not len(self.starts) == len(self.stops) == len(self.steps) == len(x.shape):
            raise ModelError(
                f"starts, stops and steps must have a number for each axis of {x}, "
                f"not {self.starts}, {self.stops}, {self.steps}"
            )
        for size, start, stop, step in zip(
            x.shape, self.starts, self.stops, self.steps, strict=True
        ):
            if not 0 <= start < stop <= size or step < 1:
                raise ModelError(
                    f"a slice must take 0 <= start < stop <= {size} in steps of at least 1, "
                    f"not {start}..{stop} in steps of {step}"
                )
        return TensorType(tuple(cut.taken for cut in self._cuts(x)), x.element)

    def _cuts(self, x: TensorType) -> list[Cut]:
        cuts = []
        for size, start, stop, step in zip(
            x.shape, self.starts, self.stops, self.steps, strict=True
        ):
            taken = len(range(start, stop, step))
            cuts.append(Cut(size, start, step if taken > 1 else 1, taken))
        return cuts

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Cut a batch."""
        parts = zip(self.starts, self.stops, self.steps, strict=True)
        return arrays[0][(slice(None), *(slice(*part) for part in parts))]

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element of the result once."""
        shape = self.infer(*types).shape
        names = [f"D{axis}" for axis in range(len(shape))]
        read = tuple(((name, step),) for name, step in zip(names, self.steps, strict=True))
        write = tuple(((name, 1),) for name in names)
        nest = dict(zip(names, shape, strict=True))
        return LoopNest(nest, (Access("x", read),), Access("output", write))

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels of which whole words are taken or dropped."""
        cuts = self._cuts(types[0])
        if all(cut.whole for cut in cuts):
            return iter((Fold(),))
        last = cuts[-1]
        return lane_folds(math.gcd(last.size, last.start, last.taken) if last.step == 1 else 1)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """Drop beats; where nothing is dropped the stream passes as it is."""
        *outer, last = self._cuts(types[0])
        if all(cut.whole for cut in (*outer, last)):
            return None
        lanes = fold.lanes_in
        words = Cut(last.size // lanes, last.start // lanes, last.step, last.taken // lanes)
        return stream_slice(types[0], self.infer(*types), (*outer, words), lanes)
