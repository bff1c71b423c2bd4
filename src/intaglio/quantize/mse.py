# SPDX-License-Identifier: Apache-2.0
"""The range whose codes are nearest to the values, by the squares of their distances.

Fractions of the extremes are tried, hundredths first and then finer ones about the best; where
values lie on both sides of zero, each bound is then moved by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intaglio.quantize.histogram import Counts, Histogram
from intaglio.quantize.ranges import Choose, Coding, Range

#: Codes of more bits than this leave nothing out: bins would be as wide as codes, and saturation
#: never pays.
WIDEST = 10
#: Fractions of the extremes that are tried at first.
FRACTIONS = np.arange(100, 0, -1) / 100


class MeanSquare:
    """The range of least squared error, over all values seen."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._seen = Histogram()

    def observe(self, values: np.ndarray) -> None:
        """Count a batch."""
        self._seen.add(values)

    def range(self) -> Range:
        """Return the best of the ranges tried; the extremes where none is better."""
        whole = self._seen.range
        if whole.magnitude == 0.0 or self._choose(whole).element.width > WIDEST:
            return whole
        return best_range(self._seen.counted(), whole, self._choose)


def best_range(counted: Counts, whole: Range, choose: Choose) -> Range:
    """Search the range inside `whole` whose coding has the least squared error."""
    errors: dict[Coding, float] = {}

    def error(low: float, high: float) -> float:
        coding = choose(Range(whole.low * low, whole.high * high))
        if coding not in errors:
            errors[coding] = squared_error(counted, coding)
        return errors[coding]

    best = _least(lambda f: error(f, f), FRACTIONS)
    low = high = _least(lambda f: error(f, f), _about(best, 0.01))
    if whole.low < 0.0 < whole.high:
        for step in (1.0, 0.1, 0.02):
            low = _least(lambda f: error(f, high), _about(low, step))  # noqa: B023 - called at once
            high = _least(lambda f: error(low, f), _about(high, step))  # noqa: B023
    return Range(whole.low * low, whole.high * high)


def squared_error(counted: Counts, coding: Coding) -> float:
    """Return the sum of squared distances of values from what their codes mean."""
    low = coding.element.min - coding.zero_point
    high = coding.element.max - coding.zero_point
    steps = counted.values / coding.scale
    away = steps - np.clip(np.floor(steps + 0.5), low, high)
    return float((away * away) @ counted.counts) * coding.scale**2


def _about(center: float, reach: float) -> np.ndarray:
    """Return fractions around one, itself first."""
    around = center + reach * np.arange(-9, 10) / 10
    return np.array([center, *around[(around > 0.0) & (around <= 1.0)]])


def _least(error: Callable[[float], float], fractions: np.ndarray) -> float:
    """Return the first fraction of least error."""
    found = [error(float(f)) for f in fractions]
    return float(fractions[int(np.argmin(found))])
