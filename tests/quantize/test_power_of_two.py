# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.numerics.types import IntType
from intaglio.quantize.power_of_two import activation, symmetric
from intaglio.quantize.ranges import Range


@given(st.floats(1e-30, 1e30), st.integers(2, 16), st.booleans())
def test_the_scale_is_the_smallest_power_that_covers_to_one_step(
    magnitude: float, width: int, signed: bool
) -> None:
    element = IntType(width, signed)
    scale = symmetric(magnitude, element)
    assert math.frexp(scale)[0] == 0.5
    assert magnitude <= scale * (element.max + 1)
    assert magnitude > scale / 2 * (element.max + 1)


@given(st.floats(1e-3, 1e3), st.floats(0.0, 1.0), st.integers(2, 10))
def test_saturation_costs_no_more_than_the_next_scale(
    magnitude: float, part: float, width: int
) -> None:
    """The largest error, saturation included, is at most half a step of twice the scale."""
    element = IntType(width, signed=False)
    coding = activation(Range(0.0, magnitude), element)
    real = part * magnitude
    assert abs(coding.code(real) * coding.scale - real) <= coding.scale


def test_only_a_range_below_zero_needs_a_sign() -> None:
    u8 = IntType.parse("u8")
    assert activation(Range(0.0, 1.0), u8).element == u8
    assert activation(Range(-0.1, 1.0), u8).element == IntType.parse("s8")
    assert activation(Range(0.0, 1.0), IntType.parse("s8")).element == IntType.parse("s8")
    assert activation(Range(-0.1, 1.0), u8).zero_point == 0


@pytest.mark.parametrize(
    ("magnitude", "text", "exponent"),
    [(1.0, "u8", -8), (1.0, "s8n", -7), (1.01, "u8", -7), (6.0, "u8", -5), (0.0, "u8", 0)],
)
def test_known_scales(magnitude: float, text: str, exponent: int) -> None:
    assert symmetric(magnitude, IntType.parse(text)) == 2.0**exponent
