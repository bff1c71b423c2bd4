# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.requantize import Requantize
from tests.ops import reference
from tests.rationals import HALF, RATIONAL

S8 = IntType.parse("s8")


@pytest.mark.parametrize("rounding", Rounding)
@given(
    width=st.integers(2, 46),
    signed=st.booleans(),
    element=reference.elements,
    channels=st.integers(1, 3),
    data=st.data(),
)
def test_it_equals_the_exact_rational(
    rounding: Rounding,
    width: int,
    signed: bool,
    element: IntType,
    channels: int,
    data: st.DataObject,
) -> None:
    kind = IntType(width, signed)
    x = data.draw(reference.integers(kind, (2, 3, channels)))
    count = data.draw(st.sampled_from([1, channels]))
    bits = data.draw(st.integers(1, 16))
    multiplier = data.draw(reference.integers(IntType(bits, signed=False), (count,)))
    shift = data.draw(st.integers(0, min(62, width + bits)))
    zero_point = data.draw(st.integers(element.min, element.max))
    op = Requantize(shift, zero_point, element, rounding)
    operand_types = reference.types((x, kind), (multiplier, IntType(bits, signed=False)))
    found = reference.evaluated(op, operand_types, x, multiplier)
    for index in np.ndindex(x.shape):
        factor = int(multiplier[index[-1] % count])
        exact = Fraction(int(x[index]) * factor, 1 << shift)
        code = zero_point + RATIONAL[rounding](exact)
        assert found[index] == min(max(code, element.min), element.max)


def test_the_widest_product_does_not_wrap() -> None:
    kind, u14 = IntType.parse("u48"), IntType.parse("u14")
    op = Requantize(62, 0, IntType.parse("u2"))
    op.infer(TensorType((1,), kind), TensorType((1,), u14))
    found = op.evaluate(np.array([[kind.max]]), np.array([u14.max]))
    assert found.item() == math.floor(Fraction(kind.max * u14.max, 1 << 62) + HALF) == 1


def test_an_unsigned_element_rectifies() -> None:
    op = Requantize(1, 0, IntType.parse("u8"))
    assert op.evaluate(np.array([[-9, -1, 1, 9]]), np.array([1])).tolist() == [[0, 0, 1, 5]]


def test_its_range_is_reached() -> None:
    op = Requantize(0, 3, S8)
    assert op.evaluate(np.array([[-999, 999]]), np.array([1])).tolist() == [[-128, 127]]
    assert op.infer(TensorType((2,), IntType.parse("s11")), TensorType((1,), S8_U)).element == S8


S8_U = IntType.parse("u8")


@pytest.mark.parametrize(
    ("op", "x", "multiplier", "text"),
    [
        (Requantize(1, 0, S8), "s20", ("u8", 2), r"multiplier must be \[1\] or \[3\], not u8\[2\]"),
        (Requantize(1, 0, S8), "s20", ("s8", 3), "multiplier must be unsigned, not s8"),
        (Requantize(63, 0, S8), "s20", ("u8", 3), r"shift must be 0\.\.62, not 63"),
        (Requantize(-1, 0, S8), "s20", ("u8", 3), r"shift must be 0\.\.62, not -1"),
        (Requantize(1, 200, S8), "s20", ("u8", 3), "zero_point must lie in s8, not 200"),
        (Requantize(1, 0, S8), "s47", ("u16", 3), "x times multiplier must fit 62 bits, not s47"),
    ],
)
def test_what_cannot_be_exact_is_refused(
    op: Requantize, x: str, multiplier: tuple[str, int], text: str
) -> None:
    kind, size = multiplier
    with pytest.raises(ModelError, match=f"^{text}"):
        op.infer(TensorType((3,), IntType.parse(x)), TensorType((size,), IntType.parse(kind)))


def test_floats_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^the element must be an integer, not f32$"):
        Requantize(1, 0, S8).infer(TensorType((3,), FLOAT32), TensorType((1,), S8_U))


@pytest.mark.parametrize("rounding", Rounding)
def test_its_attributes_round_trip(rounding: Rounding) -> None:
    op = Requantize(7, -3, IntType.parse("s8n"), rounding)
    assert Requantize.from_attributes(op.attributes()) == op
