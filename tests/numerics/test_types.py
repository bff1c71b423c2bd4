# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.numerics.types import MAX_WIDTH, IntType

widths = st.integers(1, MAX_WIDTH)
wide = st.integers(-(1 << (MAX_WIDTH - 1)), (1 << (MAX_WIDTH - 1)) - 1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("s8", -128, 127), ("s8n", -127, 127), ("u8", 0, 255), ("s1", -1, 0), ("u1", 0, 1)],
)
def test_a_type_reads_and_prints_and_has_its_range(text: str, low: int, high: int) -> None:
    element = IntType.parse(text)
    assert (str(element), element.min, element.max) == (text, low, high)


@given(widths, st.booleans())
def test_a_type_has_as_many_codes_as_its_width_says(width: int, signed: bool) -> None:
    element = IntType(width, signed)
    assert element.max - element.min + 1 == 1 << width
    assert IntType.parse(str(element)) == element


@given(widths, st.booleans())
def test_the_machine_type_holds_every_code(width: int, signed: bool) -> None:
    element = IntType(width, signed)
    codes = np.array([element.min, element.max])
    assert codes.astype(element.dtype).tolist() == codes.tolist()
    assert element.contains(codes)
    assert not element.contains(codes + 1)
    assert not element.contains(codes - 1)
    assert element.contains(np.array([], dtype=np.int64))


@given(wide, wide)
def test_holding_contains_the_range_and_no_narrower_type_does(a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    element = IntType.holding(low, high)
    assert element.min <= min(low, 0)
    assert element.max >= max(high, 0)
    assert element.signed == (low < 0)
    if element.width > 1 + element.signed:
        narrower = IntType(element.width - 1, element.signed)
        assert narrower.min > low or narrower.max < high


def test_wrong_types_say_what_they_must_be() -> None:
    with pytest.raises(ModelError, match=r"^an integer's width must be 1\.\.48 bits, not 49$"):
        IntType(49, signed=True)
    with pytest.raises(ModelError, match=r"^only a signed type of 2 bits or more can be narrow"):
        IntType(8, signed=False, narrow=True)
    with pytest.raises(ModelError, match=r"^an integer type must be like s8, u4 or s8n, not 'i8'$"):
        IntType.parse("i8")
    with pytest.raises(ModelError, match=r"^an integer's width must be 1\.\.48 bits, not 49$"):
        IntType.holding(0, 1 << 48)
