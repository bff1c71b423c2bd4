# SPDX-License-Identifier: Apache-2.0
"""The range that leaves out a ten-thousandth of the values at each end: outliers saturate."""

from __future__ import annotations

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.quantize.histogram import Histogram
from intaglio.quantize.ranges import Choose, Range

#: Percent of the values that lie below the upper bound, and above the lower one.
PERCENT = 99.99


class Percentile:
    """The bounds within which a share of all values lies, at each end by itself.

    Exactness: a bound is at most a bin, 1/2048 of the largest magnitude, too wide, never less.
    Another share: `functools.partial(Percentile, percent=99.9)` as an estimator of your own.
    """

    def __init__(self, _choose: Choose, percent: float = PERCENT) -> None:
        if not 50.0 < percent <= 100.0:
            raise QuantizationError(f"a percentile must be above 50 and at most 100, not {percent}")
        self._percent = percent
        self._seen = Histogram()

    def observe(self, values: np.ndarray) -> None:
        """Count a batch."""
        self._seen.add(values)

    def range(self) -> Range:
        """Return the percentiles of what was seen."""
        seen = self._seen
        beyond = seen.count * (100.0 - self._percent) / 100.0
        return Range(
            max(seen.range.low, -_bound(seen.below(), beyond) * seen.width),
            min(seen.range.high, _bound(seen.above(), beyond) * seen.width),
        )


def _bound(counts: np.ndarray, beyond: float) -> int:
    """Return how many bins leave at most so many values outside."""
    outside = counts.sum() - np.cumsum(counts)
    if counts.sum() <= beyond:
        return 0
    return int((outside <= beyond).argmax()) + 1
