# SPDX-License-Identifier: Apache-2.0
"""What a quantizer answers: which integers stand for which real numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from intaglio.ir.types import Quantization
from intaglio.numerics.types import IntType
from intaglio.quantize.ranges import Range


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


@dataclass(frozen=True, slots=True)
class Quantizer:
    """One way to choose scales. A new one is a file with these two functions and a line.

    `activation` covers a range with the codes of a type, which it may change in sign.
    `symmetric` returns the scale whose codes, zero point 0, cover -magnitude..magnitude.
    Both answer scale 1 where there is nothing but zero.
    """

    name: str
    activation: Callable[[Range, IntType], Coding]
    symmetric: Callable[[float, IntType], float]
