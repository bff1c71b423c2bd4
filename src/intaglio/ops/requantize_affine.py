# SPDX-License-Identifier: Apache-2.0
"""Requantize with an addend for each channel, finer than the accumulator's own steps.

    z = x * multiplier[c] + addend[c]
    y = saturate(zero_point + floor(z / 2^shift))

    and one less where z / 2^shift is a whole number that `ties` is not: even, or odd

Shapes: x (..., C), multiplier [C] or [1], addend [C] or [1]; y as x, of `element`. Where
`requantize` adds half of what is shifted out, the addend says where exactly each channel's codes
begin: so a staircase that somebody else's quantizer, bias and batch norm make is met everywhere.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.hw.scale_shift import scale_shift
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType
from intaglio.numerics.rounding import saturate
from intaglio.numerics.types import IntType
from intaglio.ops.requantize import check_scaling


class Ties(enum.Enum):
    """What a whole number stays: any, or else it becomes the one below."""

    UP = "up"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True)
class RequantizeAffine(StreamOperator):
    """Multiply, add, shift, move to the zero point, saturate.

    With an addend that has half of 2^shift in it, a whole number is a tie of rounding to nearest,
    and `Ties.EVEN` is what most of the world rounds by.
    """

    name: ClassVar[str] = "requantize_affine"
    operands: ClassVar[tuple[str, ...]] = ("x", "multiplier", "addend")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"multiplier", "addend"})

    shift: int
    zero_point: int
    element: IntType
    ties: Ties = Ties.UP

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of `element`."""
        x, multiplier, addend = types
        check_scaling(self, x, {"multiplier": multiplier, "addend": addend})
        return TensorType(x.shape, self.element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Requantize a batch."""
        x, multiplier, addend = (array.astype(np.int64) for array in arrays)
        total = x * multiplier + addend
        level = total >> self.shift
        if self.ties is not Ties.UP:
            whole = (level << self.shift) == total
            level -= whole & ((level & 1) == (self.ties is Ties.EVEN))
        return saturate(level + self.zero_point, self.element)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once; its products are not the network's MACs."""
        return elementwise(types[0].shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Multiply, add, shift and saturate."""
        return scale_shift(
            types[0],
            constants["multiplier"],
            self.infer(*types),
            self.shift,
            self.zero_point,
            fold.lanes_in,
            constants["addend"],
            None if self.ties is Ties.UP else int(self.ties is Ties.EVEN),
        )
