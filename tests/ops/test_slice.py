# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.slice import Slice
from tests.ops import reference


@st.composite
def slices(draw: st.DrawFn, shape: tuple[int, ...]) -> Slice:
    starts = tuple(draw(st.integers(0, size - 1)) for size in shape)
    stops = tuple(
        draw(st.integers(start + 1, size)) for start, size in zip(starts, shape, strict=True)
    )
    return Slice(starts, stops, tuple(draw(st.integers(1, 3)) for _ in shape))


@given(reference.elements, st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data())
def test_slice_equals_the_loops(element: IntType, sizes: list[int], data: st.DataObject) -> None:
    shape = tuple(sizes)
    op = data.draw(slices(shape))
    x = data.draw(reference.integers(element, (2, *shape)))
    found = reference.evaluated(op, [TensorType(shape, element)], x)
    ranges = [range(*part) for part in zip(op.starts, op.stops, op.steps, strict=True)]
    assert found.shape == (2, *map(len, ranges))
    for index in np.ndindex(found.shape):
        places = [r[i] for r, i in zip(ranges, index[1:], strict=True)]
        assert found[index] == x[(index[0], *places)]
    assert op.infer(TensorType(shape, element)).element == element


@given(st.lists(st.integers(1, 12), min_size=1, max_size=3), st.data())
def test_every_slice_has_a_fold_and_every_fold_takes_whole_words(
    sizes: list[int], data: st.DataObject
) -> None:
    x = TensorType(tuple(sizes), IntType(4, signed=False))
    op = data.draw(slices(x.shape))
    folds = list(op.folds([x]))
    assert folds
    for fold in folds:
        unit = op.unit([x], dict[str, Constant](), fold)
        if op.infer(x) == x:
            assert unit is None
            continue
        assert unit is not None
        assert unit.interval == x.size // fold.lanes_in
        assert unit.outputs["out"].beats * fold.lanes_in == op.infer(x).size


def test_a_slice_names_what_it_cannot_take() -> None:
    x = TensorType((4, 4, 2), FLOAT32)
    with pytest.raises(
        ModelError,
        match=r"^a slice must take 0 <= start < stop <= 4 in steps of at least 1, "
        r"not 2\.\.5 in steps of 1$",
    ):
        Slice((0, 2, 0), (4, 5, 2), (1, 1, 1)).infer(x)
    with pytest.raises(ModelError, match=r"^starts, stops and steps must have a number for each"):
        Slice((0,), (4,), (1,)).infer(x)
    deep = TensorType((4, 4, 4, 4), IntType(4, signed=False))
    cut = Slice((1,) * 4, (3,) * 4, (1,) * 4)
    with pytest.raises(ModelError, match=r"^a slice must cut at most 3 axes in hardware, not 4$"):
        cut.unit([deep], {}, next(cut.folds([deep])))
