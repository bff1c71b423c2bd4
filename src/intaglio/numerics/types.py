# SPDX-License-Identifier: Apache-2.0
"""The type of an integer: a width, a sign, and whether the lowest code is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError

#: Accumulators never wrap, so a design may need more than a machine word's half; 48 bits is what
#: the widest DSP accumulator of the supported families holds.
MAX_WIDTH = 48

_PATTERN = re.compile(r"([su])(\d+)(n?)")


@dataclass(frozen=True, slots=True, order=True)
class IntType:
    """An integer type such as `s8`, `u4` or `s8n` (narrow: -127..127).

    Raises:
        ModelError: the width is outside 1..48, or an unsigned type is narrow.
    """

    width: int
    signed: bool
    narrow: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise ModelError(f"an integer's width must be 1..{MAX_WIDTH} bits, not {self.width}")
        if self.narrow and (not self.signed or self.width < 2):
            raise ModelError(f"only a signed type of 2 bits or more can be narrow, not {self}")

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.width}{'n' if self.narrow else ''}"

    @classmethod
    def parse(cls, text: str) -> IntType:
        """Read the text form: `s8`, `u4`, `s8n`.

        Raises:
            ModelError: the text is not of that form.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ModelError(f"an integer type must be like s8, u4 or s8n, not {text!r}")
        return cls(int(match[2]), match[1] == "s", match[3] == "n")

    @classmethod
    def holding(cls, low: int, high: int) -> IntType:
        """Return the narrowest type whose range contains low..high (and zero)."""
        low, high = min(low, 0), max(high, 0)
        if low == 0:
            return cls(max(1, high.bit_length()), signed=False)
        return cls(max((-low - 1).bit_length(), high.bit_length()) + 1, signed=True)

    @property
    def min(self) -> int:
        """The lowest code."""
        if not self.signed:
            return 0
        return -(1 << (self.width - 1)) + (1 if self.narrow else 0)

    @property
    def max(self) -> int:
        """The highest code."""
        return (1 << (self.width - 1)) - 1 if self.signed else (1 << self.width) - 1

    @property
    def dtype(self) -> np.dtype[np.signedinteger]:
        """The smallest signed machine integer that holds every code."""
        for dtype in (np.int8, np.int16, np.int32):
            if np.iinfo(dtype).min <= self.min and self.max <= np.iinfo(dtype).max:
                return np.dtype(dtype)
        return np.dtype(np.int64)

    def contains(self, values: np.ndarray) -> bool:
        """Tell whether every element is one of the codes."""
        return values.size == 0 or bool(values.min() >= self.min and values.max() <= self.max)
