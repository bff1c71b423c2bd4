# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.numerics.packing import hex_lines, pack, unpack
from intaglio.numerics.types import IntType


@given(st.integers(1, 48), st.booleans(), st.integers(0, 5), st.integers(1, 9), st.data())
def test_unpacking_is_the_inverse_of_packing(
    width: int, signed: bool, words: int, count: int, data: st.DataObject
) -> None:
    element = IntType(width, signed)
    number = st.integers(element.min, element.max)
    size = words * count
    fields = np.array(data.draw(st.lists(number, min_size=size, max_size=size)), dtype=np.int64)
    fields = fields.reshape(words, count)
    packed = pack(fields, width)
    assert all(0 <= word < 1 << (width * count) for word in packed)
    assert np.array_equal(unpack(packed, width, count, signed=signed), fields)


def test_the_first_field_is_in_the_lowest_bits() -> None:
    assert pack(np.array([[1, 2, -1]]), 4) == [0xF21]


def test_hexadecimal_lines_have_all_digits() -> None:
    assert hex_lines([0x1F, 0x0], 9) == "01f\n000\n"


@pytest.mark.parametrize("value", [-9, 16])
def test_a_field_must_fit(value: int) -> None:
    with pytest.raises(ModelError, match=r"^every field must fit 4 bits, not range over"):
        pack(np.array([[0, value]]), 4)
