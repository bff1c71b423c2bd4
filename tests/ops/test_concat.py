# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.concat import Concat
from tests.ops import reference


@st.composite
def frames(draw: st.DrawFn) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Draw an axis, and two shapes that differ on it alone."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    axis = draw(st.integers(0, len(shape) - 1))
    other = list(shape)
    other[axis] = draw(st.integers(1, 6))
    return axis, tuple(shape), tuple(other)


@given(frames(), reference.elements, reference.elements, st.data())
def test_concat_equals_the_loops(
    drawn: tuple[int, tuple[int, ...], tuple[int, ...]],
    a: IntType,
    b: IntType,
    data: st.DataObject,
) -> None:
    axis, first, second = drawn
    x = data.draw(reference.integers(a, (2, *first)))
    y = data.draw(reference.integers(b, (2, *second)))
    types = [TensorType(first, a), TensorType(second, b)]
    found = reference.evaluated(Concat(axis), types, x, y)
    element = Concat(axis).infer(*types).integer
    if a == b:
        assert element == a
    else:
        assert reference.is_tight(element, min(a.min, b.min), max(a.max, b.max))
    for index in np.ndindex(found.shape):
        place = index[axis + 1]
        inside = list(index)
        inside[axis + 1] = place if place < first[axis] else place - first[axis]
        source = x if place < first[axis] else y
        assert found[index] == source[tuple(inside)]


@given(frames())
def test_every_fold_takes_whole_words_of_both(
    drawn: tuple[int, tuple[int, ...], tuple[int, ...]],
) -> None:
    axis, *shapes = drawn
    types = [TensorType(shape, IntType(4, signed=True)) for shape in shapes]
    folds = list(Concat(axis).folds(types))
    assert folds
    for fold in folds:
        unit = Concat(axis).unit(types, {}, fold)
        events = unit.processes[0].events()
        for port, type_ in zip(("a", "b"), types, strict=True):
            assert events.takes[port].release[-1] * fold.lanes_in == type_.size
        assert unit.interval * fold.lanes_in == sum(type_.size for type_ in types)
        both = zip(*(events.takes[port].release for port in ("a", "b")), strict=True)
        assert [a + b for a, b in both] == list(range(1, unit.interval + 1))


def test_concat_names_what_it_cannot_take() -> None:
    image, other = TensorType((2, 3, 1), FLOAT32), TensorType((2, 4, 1), FLOAT32)
    assert Concat(1).infer(image, other) == TensorType((2, 7, 1), FLOAT32)
    with pytest.raises(ModelError, match=r"^operands must differ on axis 2 alone, not be f32\[2,3"):
        Concat(2).infer(image, other)
    with pytest.raises(ModelError, match=r"^axis must be one of the 3 of f32\[2,3,1\], not 3$"):
        Concat(3).infer(image, image)
    codes = TensorType((2, 3, 1), IntType(4, signed=True))
    with pytest.raises(ModelError, match=r"^operands must both be integers or both floats, not"):
        Concat(1).infer(codes, other)
