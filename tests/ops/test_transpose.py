# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.transpose import Transpose
from tests.ops import reference

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(reference.elements, shapes, st.data())
def test_transpose_equals_the_loops(
    element: IntType, shape: tuple[int, ...], data: st.DataObject
) -> None:
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    x = data.draw(reference.integers(element, (2, *shape)))
    found = reference.evaluated(Transpose(order), [TensorType(shape, element)], x)
    for index in np.ndindex(x.shape):
        frame, *places = index
        assert found[(frame, *(places[axis] for axis in order))] == x[index]


@given(shapes, st.data())
def test_every_order_has_a_fold_and_only_what_moves_is_stored(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    x = TensorType(shape, IntType(3, signed=True))
    op = Transpose(tuple(data.draw(st.permutations(range(len(shape))))))
    folds = list(op.folds([x]))
    assert folds
    for fold in folds:
        unit = op.unit([x], {}, fold)
        moved = [axis for axis in op.order if shape[axis] > 1]
        assert (unit is None) == (moved == sorted(moved))
        if unit is not None:
            assert unit.interval == x.size // fold.lanes_in
            outermost = shape[moved[0]] if moved[0] == min(moved) else 1
            assert unit.parameters["BlockWords"] * outermost <= unit.interval


def test_transpose_names_what_it_cannot_take() -> None:
    with pytest.raises(ModelError, match=r"^order must name each axis of f32\[2,3\] once, not be"):
        Transpose((0, 2)).infer(TensorType((2, 3), FLOAT32))
    deep = TensorType((2,) * 5, IntType(4, signed=False))
    op = Transpose((4, 3, 2, 1, 0))
    with pytest.raises(
        ModelError, match=r"^a new order must take at most 4 loops in hardware, not 5$"
    ):
        op.unit([deep], {}, next(op.folds([deep])))
