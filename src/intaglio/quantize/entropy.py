# SPDX-License-Identifier: Apache-2.0
"""The range that loses the least information: the Kullback-Leibler divergence of TensorRT.

Magnitudes are cut at a threshold. What lies beyond joins the last bin, which gives P; the bins
below are merged into as many groups as there are codes on a side, and each group's count is spread
evenly over its bins that are not empty, which gives Q. The threshold of least sum P log(P / Q) is
taken.

Source: S. Migacz, "8-bit Inference with TensorRT", GPU Technology Conference 2017, slides 22 to 38.
Zeros are left out, since they are exact; a threshold whose last bin is empty but for what joins it,
where the divergence has no value, is passed over.
"""

from __future__ import annotations

import numpy as np

from intaglio.quantize.histogram import BINS, Histogram
from intaglio.quantize.ranges import Choose, Range

#: Bins of magnitudes in the search, at most: as many as TensorRT has.
MAGNITUDES = 2048


class Entropy:
    """The range cut at the magnitude of least divergence."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._seen = Histogram()

    def observe(self, values: np.ndarray) -> None:
        """Count a batch."""
        self._seen.add(values)

    def range(self) -> Range:
        """Return the extremes, cut at the threshold."""
        seen = self._seen
        if seen.range.magnitude == 0.0:
            return seen.range
        coding = self._choose(seen.range)
        element = coding.element
        levels = max(coding.zero_point - element.min, element.max - coding.zero_point, 1)
        factor = BINS // MAGNITUDES
        counts = seen.magnitudes().reshape(-1, factor).sum(axis=1)
        threshold = least_divergence(counts, levels) * factor * seen.width
        return Range(max(seen.range.low, -threshold), min(seen.range.high, threshold))


def least_divergence(counts: np.ndarray, levels: int) -> int:
    """Return how many of the bins to keep; all of them where there are no more than levels."""
    used = int(np.flatnonzero(counts)[-1]) + 1
    best, kept = np.inf, used
    for size in range(levels, used + 1):
        found = divergence(counts, size, levels)
        if found < best:
            best, kept = found, size
    return kept


def divergence(counts: np.ndarray, size: int, levels: int) -> float:
    """Return the divergence of keeping so many bins, infinite where it has no value."""
    inside = counts[:size].astype(np.float64)
    beyond = float(counts[size:].sum())
    if inside[-1] == 0.0 and beyond > 0.0:
        return np.inf
    # The last group takes what a division leaves over, as TensorRT's does.
    groups = np.minimum(np.arange(size) // (size // levels), levels - 1)
    filled = inside > 0.0
    total = np.bincount(groups, inside, levels)
    among = np.bincount(groups, filled, levels)
    q = np.where(filled, total[groups] / np.maximum(among[groups], 1.0), 0.0)
    inside[-1] += beyond
    p, q = inside[filled] / inside.sum(), q[filled] / q.sum()
    return float(p @ np.log(p / q))
