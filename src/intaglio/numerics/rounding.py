# SPDX-License-Identifier: Apache-2.0
"""Shifts that round, and saturation: exact on int64 while no operand exceeds 62 bits."""

from __future__ import annotations

import enum
from typing import assert_never

import numpy as np

from intaglio.numerics.types import IntType


class Rounding(enum.Enum):
    """How a number becomes an integer. Half up is ours; the others are what other tools do."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_AWAY = "half_away"
    HALF_TOWARD_ZERO = "half_toward_zero"
    FLOOR = "floor"
    CEIL = "ceil"
    AWAY = "away"
    TOWARD_ZERO = "toward_zero"


def round_shift(
    values: np.ndarray, shift: int, rounding: Rounding = Rounding.HALF_UP
) -> np.ndarray:
    """Divide by 2^shift and round to an integer.

    Exactness: equal to the rounded rational for |values| + 2^(shift-1) < 2^63.
    """
    if shift == 0:
        return values
    values = np.asarray(values, dtype=np.int64)
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
        case Rounding.HALF_TOWARD_ZERO:
            return (values + half - (values >= 0)) >> shift
        case Rounding.CEIL:
            return -(-values >> shift)
        case Rounding.AWAY:
            return np.where(values < 0, values >> shift, -(-values >> shift))
        case Rounding.TOWARD_ZERO:
            return np.where(values < 0, -(-values >> shift), values >> shift)
        case _:
            assert_never(rounding)


def saturate(values: np.ndarray, element: IntType) -> np.ndarray:
    """Replace what lies outside the type's range by its nearest code."""
    return np.clip(values, element.min, element.max).astype(element.dtype)


def round_real(values: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Round reals to integers; the result keeps the width of its floats."""
    match rounding:
        case Rounding.HALF_UP:
            return np.floor(values + 0.5)
        case Rounding.HALF_EVEN:
            return np.rint(values)
        case Rounding.HALF_AWAY:
            return np.copysign(np.floor(np.abs(values) + 0.5), values)
        case Rounding.HALF_TOWARD_ZERO:
            return np.copysign(np.ceil(np.abs(values) - 0.5), values)
        case Rounding.FLOOR:
            return np.floor(values)
        case Rounding.CEIL:
            return np.ceil(values)
        case Rounding.AWAY:
            return np.copysign(np.ceil(np.abs(values)), values)
        case Rounding.TOWARD_ZERO:
            return np.trunc(values)
        case _:
            assert_never(rounding)


def round_half_up(values: np.ndarray) -> np.ndarray:
    """Round reals to the nearest integer, a half towards +infinity; the result is float64."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5)
