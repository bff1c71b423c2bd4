# SPDX-License-Identifier: Apache-2.0
"""Every rounding, on exact rationals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from intaglio.numerics.rounding import Rounding

HALF = Fraction(1, 2)


def half_away(x: Fraction) -> int:
    return math.floor(x + HALF) if x >= 0 else math.ceil(x - HALF)


def half_toward_zero(x: Fraction) -> int:
    return math.ceil(x - HALF) if x >= 0 else math.floor(x + HALF)


RATIONAL: Mapping[Rounding, Callable[[Fraction], int]] = {
    Rounding.HALF_UP: lambda x: math.floor(x + HALF),
    Rounding.HALF_EVEN: round,
    Rounding.HALF_AWAY: half_away,
    Rounding.HALF_TOWARD_ZERO: half_toward_zero,
    Rounding.FLOOR: math.floor,
    Rounding.CEIL: math.ceil,
    Rounding.AWAY: lambda x: math.ceil(x) if x >= 0 else math.floor(x),
    Rounding.TOWARD_ZERO: math.trunc,
}
