# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.average_pool import AveragePool
from tests.ops import reference

S8 = IntType.parse("s8")


@given(reference.geometries(), st.booleans(), st.data())
def test_average_pool_equals_rational_means(
    geometry: reference.Geometry, counted: bool, data: st.DataObject
) -> None:
    shape, kernel, stride, padding = geometry
    x = data.draw(reference.integers(S8, shape))
    op = AveragePool(kernel, stride, padding, count_padding=counted)

    def mean(values: list[int | None]) -> Fraction:
        inside = [v for v in values if v is not None]
        return Fraction(sum(inside), len(values) if counted else len(inside))

    found = op.evaluate(x.astype(np.float32))
    assert found.dtype == np.float32
    expected = np.array(reference.pool(x, kernel, stride, padding, mean), dtype=np.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_average_pool_of_integers_names_what_to_use() -> None:
    with pytest.raises(ModelError, match=r"use sum_pool and requantize$"):
        AveragePool((2, 2), (2, 2)).infer(TensorType((4, 4, 1), S8))
