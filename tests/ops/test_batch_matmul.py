# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.batch_matmul import BatchMatmul
from tests.ops import reference

S8 = IntType.parse("s8")
sizes = st.integers(1, 4)


@given(reference.elements, reference.elements, st.lists(sizes, max_size=2), sizes, sizes, sizes,
       st.data())  # fmt: skip
def test_it_equals_the_loops_and_its_type_is_tight(
    a: IntType, b: IntType, leading: list[int], m: int, k: int, n: int, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(a, (2, *leading, m, k)))
    y = data.draw(reference.integers(b, (2, *leading, k, n)))
    types = [TensorType(x.shape[1:], a), TensorType(y.shape[1:], b)]
    found = reference.evaluated(BatchMatmul(), types, x, y)
    for index in np.ndindex(found.shape):
        *frame, row, column = index
        left, right = x[(*frame, row)].tolist(), y[(*frame, slice(None), column)].tolist()
        assert found[index] == sum(p * q for p, q in zip(left, right, strict=True))
    corners = [k * p * q for p in (a.min, a.max) for q in (b.min, b.max)]
    element = BatchMatmul().infer(*types).integer
    assert reference.is_tight(element, min(corners), max(corners))
    assert BatchMatmul().loops(*types).macs == found[0].size * k


@pytest.mark.parametrize("shape", [(2, 3, 2), (2, 4), (3, 4, 3), (1, 4, 2)])
def test_shapes_that_do_not_meet_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ModelError, match=r"^operands must be \[\.\.\., M, K\] and \[\.\.\., K, N\]"
    ):
        BatchMatmul().infer(TensorType((2, 3, 4), S8), TensorType(shape, S8))


def test_mixtures_are_refused_and_floats_stay_floats() -> None:
    x, y = TensorType((2, 3), FLOAT32), TensorType((3, 1), FLOAT32)
    with pytest.raises(ModelError, match=r"^operands must both be integers or both floats"):
        BatchMatmul().infer(x, TensorType((3, 1), S8))
    assert BatchMatmul().infer(x, y) == TensorType((2, 1), FLOAT32)
    found = BatchMatmul().evaluate(np.float32([[[1, 2]]]), np.float32([[[3], [4]]]))
    assert found.dtype == np.float32
    assert found.tolist() == [[[11.0]]]


def test_vectors_are_no_matrices() -> None:
    with pytest.raises(ModelError, match=r"^operands must be"):
        BatchMatmul().infer(TensorType((3,), S8), TensorType((3,), S8))
