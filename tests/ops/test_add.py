# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from tests.ops import reference

S8 = IntType.parse("s8")


@given(reference.elements, reference.elements, st.data())
def test_add_equals_python_and_its_type_is_tight(
    a: IntType, b: IntType, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(a, (2, 3, 2)))
    y = data.draw(reference.integers(b, (2, 3, 2)))
    types = [TensorType((3, 2), a), TensorType((3, 2), b)]
    found = reference.evaluated(Add(), types, x, y)
    assert found.ravel().tolist() == [
        int(p) + int(q) for p, q in zip(x.ravel(), y.ravel(), strict=True)
    ]
    assert reference.is_tight(Add().infer(*types).integer, a.min + b.min, a.max + b.max)


def test_add_refuses_other_shapes_and_mixtures() -> None:
    x = TensorType((3,), S8)
    with pytest.raises(
        ModelError, match=r"^operands must have one shape, not s8\[3\] and s8\[4\]$"
    ):
        Add().infer(x, TensorType((4,), S8))
    with pytest.raises(ModelError, match=r"^operands must both be integers or both floats"):
        Add().infer(x, TensorType((3,), FLOAT32))


def test_floats_stay_float32() -> None:
    x = np.array([[-9.0, -0.25, 7.0]], dtype=np.float32)
    found = Add().evaluate(x, x)
    assert found.dtype == np.float32
    assert found.tolist() == [[-18.0, -0.5, 14.0]]
    assert Add().infer(*[TensorType((3,), FLOAT32)] * 2).element == FLOAT32
