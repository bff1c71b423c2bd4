# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.softmax import Softmax


@given(st.lists(st.lists(st.floats(-30, 30), min_size=3, max_size=3), min_size=1, max_size=5))
def test_it_is_the_formula_along_the_last_axis(rows: list[list[float]]) -> None:
    x = np.array([rows])
    found, logarithms = Softmax().evaluate(x), Softmax(logarithm=True).evaluate(x)
    for row, shares, logs in zip(rows, found[0].tolist(), logarithms[0].tolist(), strict=True):
        total = sum(math.exp(v) for v in row)
        assert shares == pytest.approx([math.exp(v) / total for v in row], rel=1e-12)
        assert logs == pytest.approx([v - math.log(total) for v in row], rel=1e-9, abs=1e-12)
        assert sum(shares) == pytest.approx(1.0)


def test_large_scores_do_not_overflow() -> None:
    x = np.float32([[3e38, 3e38, -3e38]])
    assert Softmax().evaluate(x).tolist() == [[0.5, 0.5, 0.0]]
    assert Softmax().evaluate(x).dtype == np.float32
    assert x[0, 0] == np.float32(3e38), "operands stay as they are"


def test_it_takes_floats_alone() -> None:
    assert Softmax().infer(TensorType((2, 3), FLOAT32)) == TensorType((2, 3), FLOAT32)
    with pytest.raises(
        ModelError, match=r"^softmax must be given floats with an axis, not s8\[3\]"
    ):
        Softmax().infer(TensorType((3,), IntType.parse("s8")))
    assert Softmax.from_attributes(Softmax(True).attributes()) == Softmax(True)
