# SPDX-License-Identifier: Apache-2.0
"""Two frames one behind the other along an axis.

    z[.., i, ..] = x[.., i, ..]       where i < n, x having n places on the axis
    z[.., i, ..] = y[.., i - n, ..]   elsewhere

Shapes: x and y equal but for the axis; z with the places of both on it. Two integers may only be
joined when they share a scale and a zero point; the quantiser sees to that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.stream_concat import stream_concat
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import Element, TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Concat(StreamOperator):
    """Joining along `axis` of the frame: of an image 0 is rows, 1 columns, 2 channels."""

    name: ClassVar[str] = "concat"
    operands: ClassVar[tuple[str, ...]] = ("x", "y")
    rearranges: ClassVar[bool] = True

    axis: int

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the longer frame, of an element that holds both operands' elements."""
        x, y = types
        if not 0 <= self.axis < len(x.shape):
            raise ModelError(f"axis must be one of the {len(x.shape)} of {x}, not {self.axis}")
        ends = [(t.shape[: self.axis], t.shape[self.axis + 1 :]) for t in types]
        if ends[0] != ends[1]:
            raise ModelError(f"operands must differ on axis {self.axis} alone, not be {x} and {y}")
        size = x.shape[self.axis] + y.shape[self.axis]
        shape = (*ends[0][0], size, *ends[0][1])
        return TensorType(shape, _common(x, y))

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Join two batches."""
        x, y = arrays
        if np.issubdtype(x.dtype, np.integer):
            x, y = x.astype(np.int64), y.astype(np.int64)
        return np.concatenate((x, y), axis=self.axis + 1)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Write each element once. What is read is no one affine access, so none is named."""
        return elementwise(self.infer(*types).shape, operands=0)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side that never mixes the operands in a beat."""
        return lane_folds(math.gcd(*(type_.channels for type_ in types)))

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Take beats of the operands in turns."""
        return stream_concat(types[0], types[1], self.infer(*types), self.axis, fold.lanes_in)


def _common(x: TensorType, y: TensorType) -> Element:
    a, b = x.element, y.element
    if a == b:
        return a
    if isinstance(a, IntType) and isinstance(b, IntType):
        return IntType.holding(min(a.min, b.min), max(a.max, b.max))
    raise ModelError(f"operands must both be integers or both floats, not {x} and {y}")
