# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.numerics.scale import MAX_SHIFT, power_of_two_at_least, rescale

factors = st.lists(st.floats(2.0**-20, 2.0**15), min_size=1, max_size=8)


@given(factors, st.integers(2, 16))
def test_each_multiplier_is_within_half_a_unit_of_the_shift(real: list[float], bits: int) -> None:
    real = [min(r, 2.0 ** (bits - 1)) for r in real]
    found = rescale(np.array(real), bits)
    unit = Fraction(1, 1 << found.shift)
    for exact, multiplier in zip(real, found.multiplier.tolist(), strict=True):
        assert 1 <= multiplier < 1 << bits
        error = abs(multiplier * unit - Fraction(exact))
        assert error <= unit / 2 or multiplier == 1


@given(factors)
def test_the_largest_factor_is_exact_to_its_sixteenth_bit(real: list[float]) -> None:
    found = rescale(np.array(real))
    k = int(np.argmax(real))
    approximated = Fraction(int(found.multiplier[k]), 1 << found.shift)
    assert abs(approximated / Fraction(real[k]) - 1) <= Fraction(1, 1 << 16)


@given(st.integers(-46, 15), st.integers(1, 5))
def test_a_power_of_two_has_multiplier_one_or_no_shift(exponent: int, channels: int) -> None:
    found = rescale(np.full(channels, 2.0**exponent))
    expected = 1 if exponent <= 0 else 2**exponent
    assert found.multiplier.tolist() == [expected] * channels
    assert found.shift == max(-exponent, 0)
    assert found.error(np.full(channels, 2.0**exponent)) == 0.0


@given(factors)
def test_no_smaller_shift_says_the_same(real: list[float]) -> None:
    found = rescale(np.array(real))
    assert found.shift == 0 or np.any(found.multiplier & 1)


def test_a_factor_that_rounds_up_to_the_next_power_keeps_its_width() -> None:
    found = rescale(np.array([1.0 - 2.0**-20]))
    assert (found.multiplier.tolist(), found.shift) == ([1], 0)


def test_a_channel_far_below_the_largest_keeps_a_multiplier() -> None:
    found = rescale(np.array([1.0, 2.0**-40]))
    assert found.multiplier.tolist() == [2**15, 1]


def test_a_tiny_factor_stops_at_the_largest_shift() -> None:
    assert rescale(np.array([2.0**-100])).shift == MAX_SHIFT


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_factor_must_be_finite_and_positive(bad: float) -> None:
    with pytest.raises(
        QuantizationError, match=f"^a rescale factor must be finite and positive, not {bad}$"
    ):
        rescale(np.array([0.5, bad]))


def test_a_factor_must_fit_the_multiplier() -> None:
    with pytest.raises(
        QuantizationError,
        match=r"^a rescale factor must be under 65536 for 16-bit multipliers, not 65536$",
    ):
        rescale(np.array([65536.0]))


@given(st.floats(2.0**-100, 2.0**100))
def test_power_of_two_at_least_is_the_smallest(real: float) -> None:
    n = power_of_two_at_least(real)
    assert 2.0**n >= real > 2.0 ** (n - 1)
