# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.matmul import Matmul
from tests.ops import reference


@given(st.integers(1, 6), st.integers(1, 4), st.data())
def test_it_equals_the_loops_and_stays_in_its_type(c: int, k: int, data: st.DataObject) -> None:
    kinds = [data.draw(reference.elements) for _ in range(3)]
    shapes = ((3, c), (k, c), (k,))
    arrays = [data.draw(reference.integers(e, s)) for e, s in zip(kinds, shapes, strict=True)]
    found = reference.evaluated(
        Matmul(), reference.types(*zip(arrays, kinds, strict=True)), *arrays
    )
    x, weight, bias = (a.tolist() for a in arrays)
    for n in range(3):
        for row in range(k):
            expected = bias[row] + sum(x[n][i] * weight[row][i] for i in range(c))
            assert found[n, row] == expected


@pytest.mark.parametrize("x", ["u8", "s4", "s8n"])
def test_the_accumulator_is_reached_and_no_wider(x: str) -> None:
    kind, s5 = IntType.parse(x), IntType.parse("s5")
    ends = [
        int(Matmul().evaluate(np.full((1, 7), a), np.full((1, 7), w), np.full((1,), b)).item())
        for a in (kind.min, kind.max)
        for w in (s5.min, s5.max)
        for b in (s5.min, s5.max)
    ]
    types = [TensorType((7,), kind), TensorType((1, 7), s5), TensorType((1,), s5)]
    assert reference.is_tight(Matmul().infer(*types).integer, min(ends), max(ends))


def test_floats_stay_floats() -> None:
    types = [TensorType((7,), FLOAT32), TensorType((2, 7), FLOAT32), TensorType((2,), FLOAT32)]
    assert Matmul().infer(*types) == TensorType((2,), FLOAT32)
    assert Matmul().loops(*types).macs == 14
    x = np.ones((1, 7), dtype=np.float32)
    assert Matmul().evaluate(x, np.ones((2, 7), np.float32), x[0, :2]).tolist() == [[8.0, 8.0]]


def test_wrong_shapes_say_what_they_must_be() -> None:
    s8 = IntType.parse("s8")
    x, bias = TensorType((4,), s8), TensorType((2,), s8)
    with pytest.raises(ModelError, match=r"^weight must be \[K, C\] for a vector x, not s8\[2,3\]"):
        Matmul().infer(x, TensorType((2, 3), s8), bias)
    with pytest.raises(ModelError, match=r"^bias must be \[3\], not s8\[2\]$"):
        Matmul().infer(x, TensorType((3, 4), s8), bias)


def test_an_accumulator_wider_than_any_is_refused() -> None:
    s32 = IntType.parse("s32")
    with pytest.raises(ModelError, match=r"^an integer's width must be 1\.\.48 bits, not 64$"):
        Matmul().infer(TensorType((1,), s32), TensorType((1, 1), s32), TensorType((1,), s32))
