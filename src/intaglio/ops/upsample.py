# SPDX-License-Identifier: Apache-2.0
"""A larger image whose pixels repeat those of x: the nearest neighbor, for whole factors.

    y[p, q, c] = x[p // rows, q // columns, c]

Shapes: x (H, W, C), factors (rows, columns); y (H*rows, W*columns, C). Nothing is computed.
"""

from __future__ import annotations

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
from intaglio.ops.windows import Pair


@dataclass(frozen=True)
class Upsample(StreamOperator):
    """Repetition of pixels: `factors` times down and across."""

    name: ClassVar[str] = "upsample"
    rearranges: ClassVar[bool] = True

    factors: Pair

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the larger image of the same element."""
        (x,) = types
        if len(x.shape) != 3:
            raise ModelError(f"upsample must be given an (H, W, C) image, not {x}")
        if len(self.factors) != 2 or min(self.factors) < 1:
            raise ModelError(f"factors must be two numbers of at least 1, not {self.factors}")
        height, width, channels = x.shape
        return TensorType((height * self.factors[0], width * self.factors[1], channels), x.element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Repeat the pixels of a batch."""
        return arrays[0].repeat(self.factors[0], axis=1).repeat(self.factors[1], axis=2)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest H R W S C."""
        height, width, channels = types[0].shape
        rows, columns = self.factors
        read = Access("x", ((("H", 1),), (("W", 1),), (("C", 1),)))
        write = ((("H", rows), ("R", 1)), (("W", columns), ("S", 1)), (("C", 1),))
        nest = {"H": height, "R": rows, "W": width, "S": columns, "C": channels}
        return LoopNest(nest, (read,), Access("output", write))

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """Read each row several times, and each pixel of it."""
        (x,), lanes = types, fold.lanes_in
        height, width, channels = x.shape
        words = channels // lanes
        rows, columns = self.factors
        loops = ((height, width * words), (rows, 0), (width, words), (columns, 0), (words, 1))
        return stream_reorder(x, self.infer(x), loops, lanes, fold.slack)
