# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.depth_to_space import MODES, DepthToSpace
from intaglio.ops.windows import Pair
from tests.ops import reference


@given(reference.elements, reference.pairs, st.sampled_from(MODES), st.data())
def test_depth_to_space_equals_the_loops(
    element: IntType, block: Pair, mode: str, data: st.DataObject
) -> None:
    height, width, channels = (data.draw(st.integers(1, 3)) for _ in range(3))
    rows, columns = block
    shape = (height, width, channels * rows * columns)
    x = data.draw(reference.integers(element, (2, *shape)))
    found = reference.evaluated(DepthToSpace(block, mode), [TensorType(shape, element)], x)
    assert found.shape == (2, height * rows, width * columns, channels)
    for n, p, q, c in np.ndindex(found.shape):
        (h, r), (w, s) = divmod(p, rows), divmod(q, columns)
        place = r * columns + s
        source = place * channels + c if mode == "dcr" else c * rows * columns + place
        assert found[n, p, q, c] == x[n, h, w, source]


@given(reference.pairs, st.sampled_from(MODES), st.integers(1, 6))
def test_every_block_has_a_fold_and_moves_a_row_at_a_time(
    block: Pair, mode: str, channels: int
) -> None:
    x = TensorType((3, 4, channels * block[0] * block[1]), IntType(5, signed=True))
    op = DepthToSpace(block, mode)
    folds = list(op.folds([x]))
    assert folds
    for fold in folds:
        unit = op.unit([x], {}, fold)
        if unit is not None:
            assert unit.interval == x.size // fold.lanes_in
            assert unit.parameters["BlockWords"] <= x.size // 3 // fold.lanes_in
        else:
            assert block[0] == 1


def test_depth_to_space_names_what_it_cannot_take() -> None:
    with pytest.raises(ModelError, match=r"^a block must divide 6 channels, not be 2x2$"):
        DepthToSpace((2, 2)).infer(TensorType((2, 2, 6), FLOAT32))
    with pytest.raises(ModelError, match=r"^mode must be 'dcr' or 'crd', not 'cdr'$"):
        DepthToSpace((2, 2), "cdr").infer(TensorType((2, 2, 8), FLOAT32))
    with pytest.raises(ModelError, match=r"must be given an \(H, W, C\) image, not f32\[8\]$"):
        DepthToSpace((2, 2)).infer(TensorType((8,), FLOAT32))
