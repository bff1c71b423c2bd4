# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.relu import Relu
from tests.ops import reference

U8 = IntType.parse("u8")


@given(reference.elements, st.integers(-600, 600), st.data())
def test_relu_equals_python_and_its_type_is_tight(
    element: IntType, zero_point: int, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(element, (2, 4)))
    op, types = Relu(zero_point), [TensorType((4,), element)]
    found = reference.evaluated(op, types, x)
    assert found.ravel().tolist() == [max(int(v), zero_point) for v in x.ravel()]
    ends = op.evaluate(np.array([[element.min, element.max]])).ravel()
    assert reference.is_tight(op.infer(*types).integer, int(ends.min()), int(ends.max()))


def test_floats_stay_float32() -> None:
    x = np.array([[-9.0, -0.25, 7.0]], dtype=np.float32)
    found = Relu().evaluate(x)
    assert found.dtype == np.float32
    assert found.tolist() == [[0.0, 0.0, 7.0]]
    assert Relu().infer(TensorType((3,), FLOAT32)) == TensorType((3,), FLOAT32)


def test_its_attributes_round_trip() -> None:
    assert Relu.from_attributes(Relu(-3).attributes()) == Relu(-3)


def test_each_element_is_touched_once() -> None:
    nest = Relu().loops(TensorType((3, 4, 5), U8))
    assert (nest.iterations, nest.macs) == (60, 0)
