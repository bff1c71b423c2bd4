# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.argmax import Argmax
from tests.ops import reference

S8 = IntType.parse("s8")


@given(st.lists(st.lists(st.integers(-3, 3), min_size=5, max_size=5), min_size=1, max_size=8))
def test_argmax_is_the_first_of_the_largest(rows: list[list[int]]) -> None:
    found = reference.evaluated(Argmax(), [TensorType((5,), S8)], np.array(rows))
    assert found.tolist() == [[row.index(max(row))] for row in rows]


@pytest.mark.parametrize(("classes", "text"), [(1, "u1"), (2, "u1"), (10, "u4"), (17, "u5")])
def test_the_type_of_an_index_is_tight(classes: int, text: str) -> None:
    assert Argmax().infer(TensorType((classes,), S8)).element == IntType.parse(text)
    assert Argmax().infer(TensorType((classes,), FLOAT32)).element == IntType.parse(text)


def test_argmax_needs_a_vector() -> None:
    with pytest.raises(ModelError, match=r"^argmax must be given a vector, not s8\[2,2\]$"):
        Argmax().infer(TensorType((2, 2), S8))
