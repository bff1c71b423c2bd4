# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.hw.unit import Fold
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.mul import Mul
from tests.ops import reference

S8 = IntType.parse("s8")


@given(reference.elements, reference.elements, st.data())
def test_mul_equals_python_and_its_type_is_tight(
    a: IntType, b: IntType, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(a, (2, 3, 2)))
    y = data.draw(reference.integers(b, (2, 3, 2)))
    types = [TensorType((3, 2), a), TensorType((3, 2), b)]
    found = reference.evaluated(Mul(), types, x, y)
    assert found.ravel().tolist() == [
        int(p) * int(q) for p, q in zip(x.ravel(), y.ravel(), strict=True)
    ]
    corners = [p * q for p in (a.min, a.max) for q in (b.min, b.max)]
    assert reference.is_tight(Mul().infer(*types).integer, min(corners), max(corners))


def test_mul_refuses_other_shapes_and_mixtures() -> None:
    x = TensorType((3,), S8)
    with pytest.raises(
        ModelError, match=r"^operands must have one shape, not s8\[3\] and s8\[4\]$"
    ):
        Mul().infer(x, TensorType((4,), S8))
    with pytest.raises(ModelError, match=r"^operands must both be integers or both floats"):
        Mul().infer(x, TensorType((3,), FLOAT32))


def test_floats_stay_float32() -> None:
    x = np.array([[-9.0, -0.25, 7.0]], dtype=np.float32)
    found = Mul().evaluate(x, x)
    assert found.dtype == np.float32
    assert found.tolist() == [[81.0, 0.0625, 49.0]]
    assert Mul().infer(*[TensorType((3,), FLOAT32)] * 2).element == FLOAT32


def test_a_lane_has_a_multiplier_and_each_element_a_product() -> None:
    types = [TensorType((2, 6), S8)] * 2
    unit = Mul().unit(types, {}, Fold(3, 1, 3))
    assert (unit.multipliers, unit.resources.dsp, unit.macs, unit.interval) == (3, 3, 12, 4)
    assert Mul().loops(*types).macs == 12


def test_an_operand_wider_than_a_port_has_no_hardware() -> None:
    types = [TensorType((2,), S8), TensorType((2,), IntType.parse("u18"))]
    with pytest.raises(
        ModelError, match=r"^y must fit 18 signed bits in hardware, not u18: requantize it first$"
    ):
        Mul().unit(types, {}, Fold())
