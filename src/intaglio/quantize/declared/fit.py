# SPDX-License-Identifier: Apache-2.0
"""A staircase over integers as one multiplication and one shift, proven equal everywhere.

An accumulator n stands for the real number scale[c] * n + offset[c], and a quantizer maps that to
a level 0..T. So there is a least integer n_j[c] for each level j, and hardware is right if and only
if

    clip((multiplier[c] * n + addend[c]) >> shift, 0, T) = number of j with n >= n_j[c]

for every n of the accumulator's type. As both sides only rise, this holds if it holds at n_j and at
n_j - 1 for all j: 2 T inequalities, which say of each multiplier what the addend must lie between.
The smallest shift is taken at which all channels have a multiplier; nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.numerics.scale import MULTIPLIER_BITS
from intaglio.numerics.types import IntType
from intaglio.ops.requantize_affine import Ties
from intaglio.quantize.declared.steps import Steps

#: Multipliers beyond the width that hardware has today, up to which an exact one is looked for.
WIDEST = 30
#: Products of accumulator and multiplier stay exact in int64.
_PRODUCT_BITS = 60
#: Multipliers that are tried around the real slope.
_TRIED = np.arange(-2, 3)
#: Levels that are looked at first: a shift that is too short for all is too short for these.
_SOME = 256


@dataclass(frozen=True, eq=False)
class Fit:
    """Integers of a staircase. Shapes: multiplier and addend [C].

    `whole`, where there is one, is an addend of whole accumulator steps, so that it can be the bias
    of the layer before: multiplier * whole + half is as good as `addend`.
    """

    multiplier: np.ndarray
    addend: np.ndarray
    shift: int
    whole: np.ndarray | None
    ties: Ties = Ties.UP

    @property
    def half(self) -> int:
        """What rounding half up adds before the shift."""
        return (1 << self.shift) >> 1


def integer_thresholds(
    scale: np.ndarray, offset: np.ndarray, steps: Steps, element: IntType
) -> np.ndarray:
    """Return the least integer of a type, or one more than its highest, that reaches each level.

    Shapes: scale (positive) and offset [C]; result [C, T].
    """
    a, b = scale[:, None], offset[:, None]
    low, high = float(element.min), float(element.max + 1)
    with np.errstate(invalid="ignore"):
        guess = np.ceil((steps.thresholds - b) / a)
    least = np.clip(np.nan_to_num(guess, nan=low, neginf=low, posinf=high), low, high)
    for _ in range(2):  # the quotient may be off by one where it was rounded
        least = np.where(steps.reached(a * (least - 1) + b), least - 1, least)
        least = np.where(steps.reached(a * least + b), least, least + 1)
    return np.clip(least, low, high).astype(np.int64)


def fit(least: np.ndarray, slope: np.ndarray, element: IntType, widest: int = WIDEST) -> Fit | None:
    """Find the integers of a staircase, with an addend of whole steps wherever there is one.

    Args:
        least: for each channel and level, the least integer that reaches it. Shape [C, T].
        slope: levels an integer, as real numbers. Shape [C].
        element: the type of the integers.
        widest: bits of multipliers that are looked for.

    Returns:
        The fit, or None where no multiplier does.
    """
    if least.shape[1] == 0:  # one code for all: half is more than any number
        ones = np.ones(len(least), dtype=np.int64)
        return Fit(ones, ones << element.width, element.width + 1, 0 * ones)
    for bits in dict.fromkeys((MULTIPLIER_BITS, widest)):
        for bias in (True, False):
            found = _narrowest(least, slope, element, bits, bias)
            if found is not None:
                return found
    return None


def fit_nearest(
    least: np.ndarray, slope: np.ndarray, element: IntType, bits: int = MULTIPLIER_BITS
) -> tuple[Fit, int]:
    """Find the staircase of multipliers of some bits that is nearest, whether or not it is equal.

    Returns:
        The fit; and how many integers of the worst channel get another code, the next one.
    """
    count = least.shape[1]
    bits = min(bits, _PRODUCT_BITS - element.width)
    shift = max(bits - int(np.frexp(slope.max())[1]), 0)
    shift = min(shift, _PRODUCT_BITS - count.bit_length())
    multiplier = np.maximum(np.rint(slope * 2.0**shift), 1).astype(np.int64)[:, None]
    levels = np.arange(1, count + 1) << shift
    inside = (least > element.min) & (least <= element.max)
    # Half an integer below its threshold a product should be half a step below its level.
    wanted = (levels - multiplier * (2 * least - 1) // 2).astype(np.float64)
    factor = multiplier[:, 0]
    live = np.count_nonzero(inside, axis=1) > 0
    never = least[:, 0] > element.max
    beyond = np.where(never, -factor * element.max, levels[-1] - factor * element.min)
    middle = np.nanmedian(np.where(inside | ~live[:, None], wanted, np.nan), axis=1)
    addend = np.where(live, middle, beyond).astype(np.int64)
    found = -((addend[:, None] - levels) // multiplier)
    bounds = element.min, element.max + 1
    other = np.abs(np.clip(found, *bounds) - np.clip(least, *bounds)).sum(axis=1)
    return Fit(factor, addend, shift, None), int(other.max())


def fit_ties(
    scale: np.ndarray, offset: np.ndarray, steps: Steps, least: np.ndarray, element: IntType
) -> Fit | None:
    """Find the integers of a staircase whose ties go to the even, or all to the odd.

    Such a staircase has uneven steps where integers lie on its thresholds, which they only do if
    slope and offset are fractions of a power of two: then those are the multiplier and addend.
    """
    finite = np.isfinite(steps.thresholds)
    if not finite.any(axis=1).all():
        return None
    level = finite.argmax(axis=1)
    place = np.take_along_axis(steps.thresholds, level[:, None], axis=1)[:, 0]
    slope, first = scale / steps.scale, (offset - place) / steps.scale + level + 1
    for shift in range(_PRODUCT_BITS - element.width):
        factors, addends = slope * 2.0**shift, first * 2.0**shift
        if factors.max() >= 1 << min(WIDEST, _PRODUCT_BITS - element.width):
            return None
        if np.all(factors == np.rint(factors)) and np.all(addends == np.rint(addends)):
            break
    else:
        return None
    multiplier, addend = factors.astype(np.int64), addends.astype(np.int64)
    ties = Ties.EVEN if steps.inclusive[1:2].any() else Ties.ODD
    found = Fit(multiplier, addend, shift, None, ties)
    return found if _meets(found, least, element) else None


def _meets(found: Fit, least: np.ndarray, element: IntType) -> bool:
    """Tell whether a fit passes each level where it must: what rises needs no other proof."""
    count = least.shape[1]
    for change in (0, -1):
        n = np.clip(least + change, element.min, element.max)
        total = found.multiplier[:, None] * n + found.addend[:, None]
        level = total >> found.shift
        whole = (level << found.shift) == total
        level -= whole & ((level & 1) == (found.ties is Ties.EVEN))
        wanted = (n[:, :, None] >= least[:, None, :]).sum(axis=2)
        if not np.array_equal(np.clip(level, 0, count), wanted):
            return False
    return True


def _narrowest(
    least: np.ndarray, slope: np.ndarray, element: IntType, bits: int, bias: bool
) -> Fit | None:
    for shift in range(_PRODUCT_BITS - least.shape[1].bit_length()):
        real = slope * 2.0**shift
        if real.max() >= 1 << min(bits, _PRODUCT_BITS - element.width):
            return None
        found = _at(least, real, element, shift, bias)
        if found is not None:
            return found
    return None  # pragma: no cover  # multipliers are too wide before shifts are


def _at(
    least: np.ndarray, real: np.ndarray, element: IntType, shift: int, bias: bool
) -> Fit | None:
    """Return the fit at one shift: the multiplier nearest to the slope that has an addend."""
    order = np.argsort(np.abs(_TRIED), kind="stable")
    tried = np.rint(real)[:, None].astype(np.int64) + _TRIED[order]
    tried = np.maximum(tried, 1)
    levels = np.arange(1, least.shape[1] + 1) << shift
    some = slice(None, None, len(levels) // _SOME + 1)
    low, high = _between(least[:, some], levels[some], tried, element)
    if not (low <= high).any(axis=1).all():
        return None  # what some levels rule out, all of them do
    low, high = _between(least, levels, tried, element)
    half = (1 << shift) >> 1
    if bias:
        whole = -((half - low) // tried)
        good = tried * whole + half <= high
    else:
        whole = np.zeros_like(tried)
        good = low <= high
    if not good.any(axis=1).all():
        return None
    chosen = good.argmax(axis=1)[:, None]
    multiplier, steps, least_addend = (
        np.take_along_axis(array, chosen, axis=1)[:, 0] for array in (tried, whole, low)
    )
    if bias:
        return Fit(multiplier, multiplier * steps + half, shift, steps)
    return Fit(multiplier, least_addend, shift, None)


def _between(
    least: np.ndarray, levels: np.ndarray, tried: np.ndarray, element: IntType
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the addend of each tried multiplier must lie between.

    Shapes: least [C, T], levels [T], tried [C, M]; results [C, M].
    """
    factor, reached = tried[:, :, None], least[:, None, :]
    lowest = levels - factor * np.maximum(reached, element.min)
    highest = levels - factor * (np.minimum(reached, element.max + 1) - 1) - 1
    # A level that is never reached, or always, bounds one side only.
    extreme = np.int64(1) << 62
    low = np.where(reached <= element.max, lowest, -extreme).max(axis=2)
    high = np.where(reached > element.min, highest, extreme).min(axis=2)
    # Where nothing bounds the addend from below, it is as high as it may be, and no higher than 0.
    low = np.where(low == -extreme, np.minimum(high, 0), low)
    return low, high
