# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.upsample_linear import UpsampleLinear
from tests.ops import reference

shapes = st.tuples(*[st.integers(1, 5)] * 3)


@given(reference.elements, shapes, st.integers(0, 1), st.data())
def test_upsample_linear_equals_the_loops(
    element: IntType, shape: tuple[int, int, int], axis: int, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(element, (2, *shape)))
    op, types = UpsampleLinear(axis), [TensorType(shape, element)]
    found = reference.evaluated(op, types, x)
    for index in np.ndindex(found.shape):
        near, far = list(index), list(index)
        place, side = divmod(index[axis + 1], 2)
        near[axis + 1] = place
        far[axis + 1] = min(max(place + (1 if side else -1), 0), shape[axis] - 1)
        assert found[index] == 3 * int(x[tuple(near)]) + int(x[tuple(far)])
    assert reference.is_tight(op.infer(*types).integer, 4 * element.min, 4 * element.max)


@given(shapes, st.integers(0, 1))
def test_each_place_comes_in_once_and_before_it_is_needed(
    shape: tuple[int, int, int], axis: int
) -> None:
    x = TensorType(shape, IntType(6, signed=True))
    for fold in UpsampleLinear(axis).folds([x]):
        unit = UpsampleLinear(axis).unit([x], {}, fold)
        assert unit.interval * fold.lanes_in == 2 * x.size
        words, places = unit.parameters["Words"], shape[axis]
        taken = unit.processes[0].events().takes["in"].need
        for slot, count in enumerate(taken):
            line, rest = divmod(slot, 2 * places * words)
            latest = min((rest // words + 1) // 2, places - 1)
            come = count - line * places * words
            assert latest * words < come <= (latest + 1) * words
        assert taken[-1] == unit.inputs["in"].beats


def test_upsample_linear_keeps_floats_and_leaves_channels_alone() -> None:
    x = np.array([[[[0.5]], [[1.5]]]], dtype=np.float32)
    found = UpsampleLinear(0).evaluate(x)
    assert found.dtype == np.float32
    assert found.ravel().tolist() == [2.0, 3.0, 5.0, 6.0]
    with pytest.raises(ModelError, match=r"^axis must be one of f32\[2,1,1\] but not its last, no"):
        UpsampleLinear(2).infer(TensorType((2, 1, 1), FLOAT32))
