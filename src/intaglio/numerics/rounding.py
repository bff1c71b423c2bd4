# SPDX-License-Identifier: Apache-2.0
"""Shifts that round, and saturation: exact on int64 while no operand exceeds 62 bits."""

from __future__ import annotations

import enum
from typing import assert_never

import numpy as np

from intaglio.numerics.types import IntType


class Rounding(enum.Enum):
    """How a right shift treats the bits it drops. Half up is ours; the others are for profiles."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_AWAY = "half_away"
    FLOOR = "floor"


def round_shift(
    values: np.ndarray, shift: int, rounding: Rounding = Rounding.HALF_UP
) -> np.ndarray:
    """Divide by 2^shift and round to an integer.

    Exactness: equal to the rounded rational for |values| + 2^(shift-1) < 2^63.
    """
    if shift == 0:
        return values
    half = np.int64(1) << np.int64(shift - 1)
    match rounding:
        case Rounding.HALF_UP:
            return (values + half) >> shift
        case Rounding.FLOOR:
            return values >> shift
        case Rounding.HALF_AWAY:
            return (values + half - (values < 0)) >> shift
        case Rounding.HALF_EVEN:
            odd = (values >> shift) & 1
            return (values + (half - 1) + odd) >> shift
        case _:
            assert_never(rounding)


def saturate(values: np.ndarray, element: IntType) -> np.ndarray:
    """Replace what lies outside the type's range by its nearest code."""
    return np.clip(values, element.min, element.max).astype(element.dtype)


def round_half_up(values: np.ndarray) -> np.ndarray:
    """Round reals to the nearest integer, a half towards +infinity; the result is float64."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5)
