# SPDX-License-Identifier: Apache-2.0
"""The interval of real numbers a value is expected to take, and who looks for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.types import Quantization
from intaglio.numerics.types import IntType


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

    @classmethod
    def of(cls, values: np.ndarray) -> Range:
        """Return the extremes of values, and zero.

        Raises:
            QuantizationError: a value is not finite.
        """
        return cls(min(float(values.min()), 0.0), max(float(values.max()), 0.0))

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


@dataclass(frozen=True, slots=True)
class Coding:
    """Integers and their real meaning, for a whole tensor: `real = scale * (code - zero_point)`."""

    element: IntType
    scale: float
    zero_point: int = 0

    @property
    def quantization(self) -> Quantization:
        """The real meaning alone."""
        return Quantization((self.scale,), self.zero_point)

    def code(self, real: float) -> int:
        """Return the code nearest to a real number; infinite ones have the extreme codes.

        Exactness: half up, as the program's entrance rounds, then saturated.
        """
        bounds = (self.element.min - self.zero_point, self.element.max - self.zero_point)
        near = min(max(real / self.scale, float(bounds[0])), float(bounds[1]))
        return math.floor(near + 0.5) + self.zero_point


#: Which codes a range would be given: the type and the rule for scales are known beforehand.
Choose = Callable[[Range], Coding]


class Observer(Protocol):
    """Looks at all numbers of one value, a batch at a time, and says which range its codes cover.

    What it keeps does not grow with the data.
    """

    def observe(self, values: np.ndarray) -> None:
        """Take a batch into account.

        Raises:
            QuantizationError: a number is not finite.
        """

    def range(self) -> Range:
        """Return the range, once every batch has been seen."""


#: Makes the observer of one value, told which codes a range would be given.
Estimator = Callable[[Choose], Observer]
