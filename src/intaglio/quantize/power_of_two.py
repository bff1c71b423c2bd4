# SPDX-License-Identifier: Apache-2.0
"""Scales 2^n and zero point 0: requantizing is a shift, and no multiplier is built for it.

    n = the smallest integer with 2^n * (max + 1) >= magnitude

So the outermost values may saturate, by one step at most. That is never worse than the next scale:
one step of 2^n is half a step of 2^(n+1), which is what rounding costs there anyway.
"""

from __future__ import annotations

import math

from intaglio.numerics.scale import power_of_two_at_least
from intaglio.numerics.types import IntType
from intaglio.quantize.quantizer import Coding, Quantizer
from intaglio.quantize.ranges import Range


def activation(range_: Range, element: IntType) -> Coding:
    """Cover a range around zero; an unsigned type becomes signed where values lie below zero."""
    if range_.low < 0.0 and not element.signed:
        element = IntType(element.width, signed=True)
    return Coding(element, symmetric(range_.magnitude, element))


def symmetric(magnitude: float, element: IntType) -> float:
    """Return the smallest power of two that covers a magnitude to within one step."""
    if magnitude == 0.0:
        return 1.0
    return math.ldexp(1.0, power_of_two_at_least(magnitude / (element.max + 1)))


POWER_OF_TWO = Quantizer("pow2", activation, symmetric)
