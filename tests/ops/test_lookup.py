# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.lookup import Lookup
from tests.ops import reference


@given(reference.elements, reference.elements, st.data())
def test_each_code_is_replaced_by_its_entry(
    element: IntType, target: IntType, data: st.DataObject
) -> None:
    codes = list(range(element.min, element.max + 1))
    table = data.draw(reference.integers(target, (len(codes),)))
    x = data.draw(reference.integers(element, (2, 3, 2)))
    operand_types = reference.types((x, element), (table, target))
    found = reference.evaluated(Lookup(element.min), operand_types, x, table)
    entries = dict(zip(codes, table.tolist(), strict=True))
    assert found.ravel().tolist() == [entries[code] for code in x.ravel().tolist()]
    assert Lookup(element.min).infer(*operand_types).element == target


@pytest.mark.parametrize(
    ("op", "x", "table", "text"),
    [
        (Lookup(), "u13", 8192, r"x must have at most 12 bits, not u13\[3\]: requantize it first"),
        (Lookup(), "s4", 16, r"lowest must be -8, as of s4, not 0"),
        (Lookup(-7), "s4n", 16, r"table must be \[15\] for s4n, not s8\[16\]"),
    ],
)
def test_a_table_must_have_an_entry_for_each_code(
    op: Lookup, x: str, table: int, text: str
) -> None:
    with pytest.raises(ModelError, match=f"^{text}$"):
        op.infer(TensorType((3,), IntType.parse(x)), TensorType((table,), IntType.parse("s8")))


def test_floats_are_refused() -> None:
    u2 = TensorType((4,), IntType.parse("u2"))
    with pytest.raises(ModelError, match=r"^the element must be an integer, not f32$"):
        Lookup().infer(TensorType((3,), FLOAT32), u2)
    with pytest.raises(ModelError, match=r"^the element must be an integer, not f32$"):
        Lookup().infer(u2, TensorType((4,), FLOAT32))


def test_its_attributes_round_trip() -> None:
    op = Lookup(-128)
    assert Lookup.from_attributes(op.attributes()) == op


def test_operands_stay_as_they_are() -> None:
    table, x = np.arange(4), np.array([[3, 0]], dtype=np.int8)
    assert Lookup().evaluate(x, table).tolist() == [[3, 0]]
    assert x.tolist() == [[3, 0]]
