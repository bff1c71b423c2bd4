# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.upsample import Upsample
from intaglio.ops.windows import Pair
from tests.ops import reference

images = st.tuples(*[st.integers(1, 4)] * 3)


@given(reference.elements, reference.pairs, images, st.data())
def test_upsample_equals_the_loops(
    element: IntType, factors: Pair, shape: tuple[int, int, int], data: st.DataObject
) -> None:
    x = data.draw(reference.integers(element, (2, *shape)))
    found = reference.evaluated(Upsample(factors), [TensorType(shape, element)], x)
    assert found.shape == (2, shape[0] * factors[0], shape[1] * factors[1], shape[2])
    for n, p, q, c in np.ndindex(found.shape):
        assert found[n, p, q, c] == x[n, p // factors[0], q // factors[1], c]


@given(reference.pairs, images)
def test_every_fold_gives_a_beat_a_cycle_from_rows_or_single_pixels(
    factors: Pair, shape: tuple[int, int, int]
) -> None:
    x = TensorType(shape, IntType(3, signed=True))
    for fold in Upsample(factors).folds([x]):
        unit = Upsample(factors).unit([x], {}, fold)
        if unit is None:
            assert factors == (1, 1)
            continue
        words = shape[2] // fold.lanes_in
        assert unit.interval == x.size * factors[0] * factors[1] // fold.lanes_in
        assert unit.parameters["BlockWords"] == (words if factors[0] == 1 else words * shape[1])


def test_upsample_names_what_it_cannot_take() -> None:
    with pytest.raises(ModelError, match=r"^factors must be two numbers of at least 1, not \(0, 2"):
        Upsample((0, 2)).infer(TensorType((2, 3, 1), FLOAT32))
    with pytest.raises(ModelError, match=r"^upsample must be given an \(H, W, C\) image, not f32"):
        Upsample((2, 2)).infer(TensorType((2,), FLOAT32))
