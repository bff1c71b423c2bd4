# SPDX-License-Identifier: Apache-2.0
"""Channels become pixels: each pixel a block of rows and columns.

    y[h*R + r, w*S + s, c] = x[h, w, (r*S + s)*C + c]   "dcr": the block's place goes first
    y[h*R + r, w*S + s, c] = x[h, w, c*R*S + r*S + s]   "crd": the channel goes first

Shapes: x (H, W, R*S*C), block (R, S); y (H*R, W*S, C). Nothing is computed.
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

MODES = ("dcr", "crd")


@dataclass(frozen=True)
class DepthToSpace(StreamOperator):
    """Rearrangement of channels into blocks of pixels; `mode` is "dcr" or "crd", as in ONNX."""

    name: ClassVar[str] = "depth_to_space"
    rearranges: ClassVar[bool] = True

    block: Pair
    mode: str = "dcr"

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the larger image of fewer channels."""
        (x,) = types
        if self.mode not in MODES:
            raise ModelError(f"mode must be {' or '.join(map(repr, MODES))}, not {self.mode!r}")
        if len(x.shape) != 3:
            raise ModelError(f"depth_to_space must be given an (H, W, C) image, not {x}")
        rows, columns = self.block
        if min(self.block) < 1 or x.channels % (rows * columns):
            raise ModelError(f"a block must divide {x.channels} channels, not be {rows}x{columns}")
        height, width, channels = x.shape
        return TensorType((height * rows, width * columns, channels // (rows * columns)), x.element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Rearrange a batch."""
        (x,) = arrays
        frames, height, width, _ = x.shape
        rows, columns = self.block
        if self.mode == "dcr":
            parts = x.reshape(frames, height, width, rows, columns, -1)
        else:
            parts = np.moveaxis(x.reshape(frames, height, width, -1, rows, columns), 3, 5)
        return parts.transpose(0, 1, 3, 2, 4, 5).reshape(frames, height * rows, width * columns, -1)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest H R W S C."""
        height, width, _ = types[0].shape
        rows, columns = self.block
        channels = self.infer(*types).channels
        down, across, depth = self._steps(channels)
        read = ((("H", 1),), (("W", 1),), (("R", down), ("S", across), ("C", depth)))
        write = ((("H", rows), ("R", 1)), (("W", columns), ("S", 1)), (("C", 1),))
        nest = {"H": height, "R": rows, "W": width, "S": columns, "C": channels}
        return LoopNest(nest, (Access("x", read),), Access("output", write))

    def _steps(self, channels: int) -> tuple[int, int, int]:
        """How far apart in x a block's rows, columns and channels are."""
        rows, columns = self.block
        if self.mode == "dcr":
            return columns * channels, channels, 1
        return columns, 1, rows * columns

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels that lie side by side in both images."""
        channels = self.infer(*types).channels
        return lane_folds(channels if self._steps(channels)[2] == 1 else 1)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit | None:
        """Read each row of the image once for every row of a block."""
        (x,), y = types, self.infer(*types)
        lanes, (height, width, _) = fold.lanes_in, x.shape
        down, across, depth = self._steps(y.channels)
        loops = (
            (height, width * x.channels // lanes),
            (self.block[0], down // lanes),
            (width, x.channels // lanes),
            (self.block[1], across // lanes),
            (y.channels // lanes, depth),
        )
        return stream_reorder(x, y, loops, lanes, fold.slack)
