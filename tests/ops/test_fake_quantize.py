# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.ops.fake_quantize import FakeQuantize
from tests.rationals import RATIONAL


@given(
    rounding=st.sampled_from(Rounding),
    exponent=st.integers(-6, 3),
    zero=st.integers(-9, 9),
    ends=st.tuples(st.integers(-20, 20), st.integers(0, 30)),
    offset_first=st.booleans(),
    numbers=st.lists(st.integers(-4000, 4000), min_size=1, max_size=30),
)
def test_it_equals_the_exact_rational(
    rounding: Rounding,
    exponent: int,
    zero: int,
    ends: tuple[int, int],
    offset_first: bool,
    numbers: list[int],
) -> None:
    scale, low, high = 2.0**exponent, ends[0], ends[0] + ends[1]
    op = FakeQuantize((scale,), zero, low, high, rounding, offset_first)
    found = op.evaluate(np.array(numbers, np.float32)[:, None] / 64)
    for number, real in zip(numbers, found[:, 0].tolist(), strict=True):
        steps = Fraction(number, 64) / Fraction(scale)
        rounded = RATIONAL[rounding]
        code = rounded(steps + zero) if offset_first else rounded(steps) + zero
        assert real == (min(max(code, low), high) - zero) * scale


def test_a_channel_can_have_its_own_scale() -> None:
    op = FakeQuantize((1.0, 0.25), 0, -128, 127)
    assert op.evaluate(np.array([[0.6, 0.6]], np.float32)).tolist() == [[1.0, 0.5]]
    assert op.infer(TensorType((3, 2), FLOAT32)) == TensorType((3, 2), FLOAT32)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (FakeQuantize((1.0, 2.0), 0, 0, 3), "scale must be 1 or 3 numbers, not 2"),
        (FakeQuantize((0.0,), 0, 0, 3), "scale must be finite and positive, not 0.0"),
        (FakeQuantize((1.0,), 0, 4, 3), r"codes must go from low to high, not 4\.\.3"),
    ],
)
def test_what_makes_no_sense_is_refused(op: FakeQuantize, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        op.infer(TensorType((2, 3), FLOAT32))
