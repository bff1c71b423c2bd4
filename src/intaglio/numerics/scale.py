# SPDX-License-Identifier: Apache-2.0
"""Real scales as integers: one shift for a layer, one multiplier for a channel.

A shift that differs by channel costs a barrel shifter in every requantizer (689 LUT4 against 16 on
ECP5, measured with Yosys 0.70), so all channels share the shift and only multipliers differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from intaglio.errors import QuantizationError

#: Multipliers are unsigned and this wide at most: with its sign the operand fits the 18-bit port
#: of the narrowest DSP in the supported families.
MULTIPLIER_BITS = 16
#: A shift beyond the accumulator and multiplier together would leave nothing but zero.
MAX_SHIFT = MULTIPLIER_BITS + 46


@dataclass(frozen=True)
class Rescale:
    """`real ~ multiplier / 2^shift`, one multiplier a channel (or one for all).

    Exactness: |multiplier / 2^shift - real| <= 2^-(shift+1), unless the channel is clamped to 1.
    """

    multiplier: np.ndarray
    shift: int

    def error(self, real: np.ndarray) -> float:
        """The largest relative error against the real factors."""
        return float(np.max(np.abs(self.multiplier / 2.0**self.shift / real - 1.0)))


def rescale(real: np.ndarray, bits: int = MULTIPLIER_BITS) -> Rescale:
    """Choose integer multipliers and one shift for positive real factors.

    The largest factor gets the full width; the others share its shift.

    Raises:
        QuantizationError: a factor is not finite and positive, or too large for any shift >= 0.
    """
    real = np.atleast_1d(np.asarray(real, dtype=np.float64))
    if not np.all(np.isfinite(real)) or np.any(real <= 0):
        bad = real[~(np.isfinite(real) & (real > 0))][0]
        raise QuantizationError(f"a rescale factor must be finite and positive, not {bad}")
    largest = float(real.max())
    shift = bits - math.frexp(largest)[1]
    if round(largest * 2.0**shift) >= 1 << bits:  # the largest rounded up to the next power of two
        shift -= 1
    shift = min(shift, MAX_SHIFT)
    if shift < 0:
        raise QuantizationError(
            f"a rescale factor must be under {2**bits} for {bits}-bit multipliers, not {largest:g}"
        )
    multiplier = np.maximum(np.floor(real * 2.0**shift + 0.5), 1).astype(np.int64)
    while shift > 0 and not np.any(multiplier & 1):  # the same factor in fewer bits
        multiplier >>= 1
        shift -= 1
    return Rescale(multiplier, shift)


def power_of_two_at_least(real: float) -> int:
    """Return the smallest n with 2^n >= real."""
    mantissa, exponent = math.frexp(real)
    return exponent - 1 if mantissa == 0.5 else exponent
