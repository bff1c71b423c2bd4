# SPDX-License-Identifier: Apache-2.0
"""A lane that requantizes, with everything changing every cycle, against whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vectors import drive

BLOCKS = ("delay", "multiplier", "multiplier_rows", "row_adder", "scale_lane")
LATENCY, VALUE_BITS, CYCLES = 9, 20, 20000


@pytest.mark.parametrize("width", [18, 24, 25, 34])
def test_a_lane_rounds_moves_and_saturates_exactly(
    width: int, tmp_path: Path, runtime: Path
) -> None:
    random = np.random.default_rng(width)
    span = 1 << (VALUE_BITS - 1)
    x, bias = _edged(random, width), _edged(random, width)
    multiplier = random.integers(0, 1 << random.integers(1, 18, CYCLES))
    remainder = random.integers(0, 1 << 17, CYCLES) * random.integers(0, 2, CYCLES)
    shift = random.integers(0, 64, CYCLES)
    zero = random.integers(-span, span, CYCLES)
    limits = np.sort(random.integers(-span, span, (2, CYCLES)), axis=0)
    found = drive(
        "scale_lane",
        BLOCKS,
        {"Width": width},
        {
            "x_i": (width, x),
            "bias_i": (width, bias),
            "multiplier_i": (17, multiplier),
            "remainder_i": (17, remainder),
            "shift_i": (6, shift),
            "zero_point_i": (VALUE_BITS, zero),
            "low_i": (VALUE_BITS, limits[0]),
            "high_i": (VALUE_BITS, limits[1]),
        },
        ("y_o", VALUE_BITS),
        tmp_path,
        runtime,
    )
    columns = (x, bias, multiplier, remainder, shift, zero, *limits)
    for cycle, numbers in enumerate(zip(*(map(int, c) for c in columns), strict=True)):
        if cycle + LATENCY - 1 < CYCLES:
            given = (found[cycle + LATENCY - 1] ^ span) - span
            assert given == _expected(*numbers), (cycle, numbers)


def _edged(random: np.random.Generator, width: int) -> np.ndarray:
    """Draw numbers of all magnitudes, with the extremes among them."""
    limit = 1 << (width - 1)
    drawn = random.integers(-limit, limit, CYCLES) >> random.integers(0, width, CYCLES)
    drawn[random.random(CYCLES) < 0.02] = limit - 1
    drawn[random.random(CYCLES) < 0.02] = -limit
    return drawn


def _expected(
    x: int,
    bias: int,
    multiplier: int,
    remainder: int,
    shift: int,
    zero: int,
    low: int,
    high: int,
) -> int:
    """Round half up: without a shift there is no half."""
    half = 1 << (shift - 1) if shift else 0
    total = (x + bias) * multiplier + remainder + half
    return min(max(zero + (total >> shift), low), high)
