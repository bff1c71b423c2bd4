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
from intaglio.ops.clip import Clip
from tests.ops import reference

S8 = IntType.parse("s8")


@given(reference.elements, st.integers(-600, 600), st.integers(0, 600), st.data())
def test_clip_equals_python_and_its_type_is_tight(
    element: IntType, low: int, size: int, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(element, (2, 4)))
    op, types = Clip(low, low + size), [TensorType((4,), element)]
    found = reference.evaluated(op, types, x)
    assert found.ravel().tolist() == [min(max(int(v), low), low + size) for v in x.ravel()]
    ends = op.evaluate(np.array([[element.min, element.max]])).ravel()
    assert reference.is_tight(op.infer(*types).integer, int(ends.min()), int(ends.max()))


def test_clip_of_integers_takes_codes_only() -> None:
    for low, high in ((0.5, 3), (0, math.inf), (-math.inf, 0)):
        with pytest.raises(ModelError, match=r"^bounds on integers must be codes, not"):
            Clip(low, high).infer(TensorType((2,), S8))


@pytest.mark.parametrize(("low", "high"), [(2, 1), (math.nan, 1)])
def test_clip_needs_its_bounds_in_order(low: float, high: float) -> None:
    with pytest.raises(ModelError, match=r"^clip's low must be at most its high, not"):
        Clip(low, high)


def test_floats_stay_float32() -> None:
    x = np.array([[-9.0, -0.25, 7.0]], dtype=np.float32)
    found = Clip(-1.5, 6.0).evaluate(x)
    assert found.dtype == np.float32
    assert found.tolist() == [[-1.5, -0.25, 6.0]]
    assert Clip(-1.5, 6.0).infer(TensorType((3,), FLOAT32)) == TensorType((3,), FLOAT32)


@pytest.mark.parametrize("op", [Clip(-1.5, 6.0), Clip(0, 100), Clip(0, math.inf)])
def test_its_attributes_round_trip(op: Clip) -> None:
    assert Clip.from_attributes(op.attributes()) == op
