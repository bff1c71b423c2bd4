# SPDX-License-Identifier: Apache-2.0
"""How often values occur, in bounded memory and one pass, whatever their range turns out to be.

Bins are 2^e / 4096 wide, on both sides of zero, with the least e for which all values lie below
2^e. When a larger value comes, e grows and neighboring bins are merged, which is exact: the
histogram depends on the values alone, and not on their order or on how they were cut into batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from intaglio.quantize.ranges import Range

#: Bins on each side of zero. At least 2048 of them are in use, 8 for each code of 8 bits, so that
#: a value is off by 1/16 of a code's width at most.
BINS = 4096


@dataclass(frozen=True, eq=False)
class Counts:
    """What occurs: centers of bins that are not empty, from the lowest on, and how often.

    Zeros are left out: zero is exact in every coding.
    """

    values: np.ndarray
    counts: np.ndarray


class Histogram:
    """Counts of values by bin; zeros apart."""

    def __init__(self) -> None:
        self.zeros = 0
        self.range = Range(0.0, 0.0)
        self._exponent: int | None = None
        self._sides = np.zeros((2, BINS), dtype=np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count a batch of any shape.

        Raises:
            QuantizationError: a number is not finite.
        """
        self.range = self.range.union(Range.of(values))
        if self.range.magnitude == 0.0:
            self.zeros += values.size
            return
        self._grow(math.frexp(self.range.magnitude)[1])
        flat = values.astype(np.float64, copy=False).ravel()
        for side, part in enumerate((-flat[flat < 0.0], flat[flat > 0.0])):
            bins = (part / self.width).astype(np.int64)
            self._sides[side] += np.bincount(bins, minlength=BINS)
            self.zeros -= part.size
        self.zeros += values.size

    @property
    def width(self) -> float:
        """How wide a bin is, 1 where there is nothing but zero."""
        return 1.0 if self._exponent is None else math.ldexp(1.0 / BINS, self._exponent)

    @property
    def count(self) -> int:
        """Values seen, zeros among them."""
        return self.zeros + int(self._sides.sum())

    def magnitudes(self) -> np.ndarray:
        """Return the counts of absolute values, the bin at zero first; zeros are left out."""
        return self._sides.sum(axis=0)

    def below(self) -> np.ndarray:
        """Return the counts of negative values, the bin at zero first."""
        return self._sides[0]

    def above(self) -> np.ndarray:
        """Return the counts of positive values, the bin at zero first."""
        return self._sides[1]

    def counted(self) -> Counts:
        """Return what occurs."""
        centers = (np.arange(BINS) + 0.5) * self.width
        values = np.concatenate([-centers[::-1], centers])
        counts = np.concatenate([self._sides[0][::-1], self._sides[1]])
        used = counts > 0
        return Counts(values[used], counts[used])

    def _grow(self, exponent: int) -> None:
        if self._exponent is not None and exponent > self._exponent:
            factor = 1 << min(exponent - self._exponent, BINS.bit_length() - 1)
            merged = self._sides.reshape(2, -1, factor).sum(axis=2)
            self._sides = np.zeros((2, BINS), dtype=np.int64)
            self._sides[:, : merged.shape[1]] = merged
        if self._exponent is None or exponent > self._exponent:
            self._exponent = exponent
