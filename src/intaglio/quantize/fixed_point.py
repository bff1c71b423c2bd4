# SPDX-License-Identifier: Apache-2.0
"""The fixed-point positions of Vitis AI: steps 2^-position, found by its three methods.

    non-overflow   floor(log2(1 / step)), step = max(low / (min - 1/2), high / (max + 1/2))
    min-diffs      of that position and the four finer ones, that of the least sum (q - x)^2
    min-roots      the same with sum |(q - x) / (|x| + 1e-9)|^(1/2): weights of depthwise layers

The half step at each end is what rounding brings back. Each batch of activations votes for a
position, the most frequent is taken, and of equals the least. All zero has position 127, and as a
batch no vote.

Source: Xilinx, Vitis AI 3.0, vai_q_tensorflow, fixed-point quantizer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from intaglio.numerics.types import IntType
from intaglio.quantize.ranges import Choose, Range

#: The position of nothing but zeros.
ZERO_POSITION = 127
#: Finer positions that are tried.
FINER = 4

#: Finds the position of an array's codes.
Method = Callable[[np.ndarray, IntType], int]


def non_overflow(values: np.ndarray, element: IntType) -> int:
    """Return the finest position at which nothing saturates by more than half a step."""
    range_ = Range.of(values)
    step = max(range_.low / (element.min - 0.5), range_.high / (element.max + 0.5))
    return ZERO_POSITION if step == 0.0 else math.floor(math.log2(1.0 / step))


def min_diffs(values: np.ndarray, element: IntType) -> int:
    """Return the position of least squared error."""
    return _finest(values, element, lambda away, _: float((away * away).sum()))


def min_roots(values: np.ndarray, element: IntType) -> int:
    """Return the position of least sum of roots of relative errors."""
    return _finest(
        values, element, lambda away, x: float(np.sqrt(np.abs(away) / (np.abs(x) + 1e-9)).sum())
    )


def _finest(
    values: np.ndarray, element: IntType, cost: Callable[[np.ndarray, np.ndarray], float]
) -> int:
    first = non_overflow(values, element)
    if first == ZERO_POSITION:
        return first
    x = values.astype(np.float64).ravel()
    costs = []
    for position in range(first, first + FINER + 1):
        steps = np.clip(np.floor(np.ldexp(x, position) + 0.5), element.min, element.max)
        costs.append(cost(np.ldexp(steps, -position) - x, x))
    return first + int(np.argmin(costs))


class Votes:
    """The position most batches vote for."""

    def __init__(self, choose: Choose, method: Method) -> None:
        self._choose, self._method = choose, method
        self._seen = Range(0.0, 0.0)
        self._votes: Counter[tuple[int, IntType]] = Counter()

    def observe(self, values: np.ndarray) -> None:
        """Let a batch vote; its type is signed as soon as a value is below zero."""
        self._seen = self._seen.union(Range.of(values))
        if not values.any():
            return
        element = self._choose(self._seen).element
        self._votes[self._method(values, element), element] += 1

    def range(self) -> Range:
        """Return the range that powers of two cover at exactly the position chosen."""
        if self._seen.magnitude == 0.0:
            return self._seen
        element = self._choose(self._seen).element
        votes: Counter[int] = Counter()
        for (position, voted), count in self._votes.items():
            # An unsigned vote has one bit more for the same range.
            votes[position - (voted.max != element.max)] += count
        position = min(votes, key=lambda p: (-votes[p], p))
        reach = math.ldexp(element.max + 1.0, -position)
        return Range(-reach if element.signed else 0.0, reach)


def non_overflow_votes(choose: Choose) -> Votes:
    """Estimate by the non-overflow method."""
    return Votes(choose, non_overflow)


def min_diffs_votes(choose: Choose) -> Votes:
    """Estimate by the min-diffs method."""
    return Votes(choose, min_diffs)


def min_roots_votes(choose: Choose) -> Votes:
    """Estimate by the min-diffs method for depthwise weights."""
    return Votes(choose, min_roots)
