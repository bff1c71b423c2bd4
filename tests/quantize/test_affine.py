# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.numerics.types import IntType
from intaglio.quantize.affine import activation, symmetric
from intaglio.quantize.ranges import Range

bounds = st.one_of(st.just(0.0), st.floats(1e-20, 1e20))
elements = st.builds(IntType, st.integers(2, 16), st.booleans())


@given(bounds, bounds, elements)
def test_zero_is_exact_and_the_range_is_covered_to_half_a_step(
    below: float, above: float, element: IntType
) -> None:
    coding = activation(Range(-below, above), element)
    assert element.min <= coding.zero_point <= element.max
    assert coding.code(0.0) == coding.zero_point
    real = coding.quantization.dequantize(np.array([element.min, coding.zero_point, element.max]))
    assert real[1] == 0.0
    slack = coding.scale * (0.5 + 1e-9)
    assert real[0] <= -below + slack
    assert real[2] >= above - slack


@given(st.floats(-1.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), elements)
def test_a_number_in_the_range_is_a_step_away_at_most(
    where: float, below: float, above: float, element: IntType
) -> None:
    coding = activation(Range(-below, above), element)
    real = min(max(where, -below), above)
    found = coding.quantization.dequantize(np.array([coding.code(real)])).item()
    assert abs(found - real) <= coding.scale * (1 + 1e-9)


def test_a_range_from_zero_saturates_as_a_rectifier() -> None:
    u8 = activation(Range(0.0, 1.0), IntType.parse("u8"))
    assert (u8.zero_point, u8.scale) == (0, 1.0 / 255)
    assert activation(Range(0.0, 1.0), IntType.parse("s8")).zero_point == -128


def test_a_range_of_nothing_has_scale_one() -> None:
    u8 = activation(Range(0.0, 0.0), IntType.parse("u8"))
    assert (u8.scale, u8.zero_point) == (1.0, 0)
    assert symmetric(0.0, IntType.parse("s8n")) == 1.0


@given(st.floats(1e-20, 1e20), st.integers(2, 16))
def test_a_symmetric_scale_puts_the_magnitude_on_the_highest_code(
    magnitude: float, width: int
) -> None:
    element = IntType(width, signed=True)
    assert symmetric(magnitude, element) * element.max == pytest.approx(magnitude)
