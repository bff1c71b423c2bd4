# SPDX-License-Identifier: Apache-2.0
"""The interval of real numbers a value is expected to take."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from intaglio.errors import QuantizationError


@dataclass(frozen=True, slots=True)
class Range:
    """An interval low..high that contains zero, because zero must have a code.

    Raises:
        QuantizationError: a bound is not finite, or zero lies outside.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.low) or not math.isfinite(self.high):
            raise QuantizationError(f"a range must be finite, not {self.low}..{self.high}")
        if not self.low <= 0.0 <= self.high:
            raise QuantizationError(f"a range must contain zero, not {self.low}..{self.high}")

    @property
    def magnitude(self) -> float:
        """The largest absolute value inside."""
        return max(-self.low, self.high)

    def union(self, other: Range) -> Range:
        """Return the smallest range that contains both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def scaled(self, factor: float) -> Range:
        """Return the range with both bounds multiplied."""
        return Range(self.low * factor, self.high * factor)


#: Looks at one batch of one value and says which range its codes should cover.
Estimator = Callable[[np.ndarray], Range]
