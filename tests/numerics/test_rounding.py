# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.numerics.rounding import Rounding, round_half_up, round_real, round_shift, saturate
from intaglio.numerics.types import IntType
from tests.rationals import HALF, RATIONAL

values = st.lists(st.integers(-(1 << 61), 1 << 61), min_size=1, max_size=20)


def test_every_rounding_has_its_rational_twin() -> None:
    assert set(RATIONAL) == set(Rounding)


@pytest.mark.parametrize("rounding", Rounding)
@given(numbers=values, shift=st.integers(0, 62))
def test_a_shift_rounds_as_the_exact_rational(
    rounding: Rounding, numbers: list[int], shift: int
) -> None:
    found = round_shift(np.array(numbers, dtype=np.int64), shift, rounding)
    assert found.tolist() == [RATIONAL[rounding](Fraction(n, 1 << shift)) for n in numbers]


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("shift", [1, 2, 5])
def test_halves_and_their_neighbours_round_as_the_exact_rational(
    rounding: Rounding, shift: int
) -> None:
    numbers = np.arange(-(4 << shift), (4 << shift) + 1)
    found = round_shift(numbers, shift, rounding)
    assert found.tolist() == [RATIONAL[rounding](Fraction(int(n), 1 << shift)) for n in numbers]


@pytest.mark.parametrize("rounding", Rounding)
def test_small_machine_integers_do_not_wrap(rounding: Rounding) -> None:
    numbers = np.array([-128, -127, -1, 1, 127], dtype=np.int8)
    expected = [RATIONAL[rounding](Fraction(int(n), 4)) for n in numbers]
    assert round_shift(numbers, 2, rounding).tolist() == expected


@pytest.mark.parametrize("rounding", Rounding)
@given(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=1), st.integers(0, 6))
def test_reals_round_as_the_exact_rational(
    rounding: Rounding, numbers: list[int], bits: int
) -> None:
    reals = np.array(numbers, dtype=np.float32) / np.float32(1 << bits)
    found = round_real(reals, rounding)
    assert found.dtype == np.float32
    assert found.tolist() == [RATIONAL[rounding](Fraction(n, 1 << bits)) for n in numbers]


@given(values, st.integers(2, 48), st.booleans(), st.booleans())
def test_saturation_is_the_nearest_code(
    numbers: list[int], width: int, signed: bool, narrow: bool
) -> None:
    element = IntType(width, signed, narrow and signed)
    found = saturate(np.array(numbers), element)
    assert found.dtype == element.dtype
    assert found.tolist() == [min(max(n, element.min), element.max) for n in numbers]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_reals_round_half_up(reals: list[float]) -> None:
    found = round_half_up(np.array(reals))
    for real, rounded in zip(reals, found.tolist(), strict=True):
        # real + 0.5 is itself rounded to float64 where real is tiny beside it
        assert abs(Fraction(rounded) - Fraction(real)) <= HALF + Fraction(1, 1 << 52)
    assert round_half_up(np.array([-2.5, -1.5, -0.5, 0.5, 1.5])).tolist() == [-2, -1, 0, 1, 2]
