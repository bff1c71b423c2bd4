# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.max_pool import MaxPool
from tests.ops import reference


@given(reference.geometries(), reference.elements, st.data())
def test_max_pool_equals_the_loops_and_its_lowering(
    geometry: reference.Geometry, element: IntType, data: st.DataObject
) -> None:
    shape, kernel, stride, padding = geometry
    x = data.draw(reference.integers(element, shape))
    op, types = MaxPool(kernel, stride, padding), [TensorType(shape[1:], element)]
    found = reference.evaluated(op, types, x)
    assert found.tolist() == reference.pool(
        x, kernel, stride, padding, lambda w: max(v for v in w if v is not None)
    )
    assert op.infer(*types).element == element
    if (steps := op.lower(types)) is not None:
        assert np.array_equal(steps[1].op.evaluate(steps[0].op.evaluate(x)), found)
        assert steps[1].op.infer(steps[0].op.infer(*types)) == op.infer(*types)
    else:
        assert not any(padding)


def test_max_pool_of_floats_ignores_padding() -> None:
    x = np.full((1, 2, 2, 1), -7.5, dtype=np.float32)
    found = MaxPool((2, 2), (1, 1), (1, 1, 1, 1)).evaluate(x)
    assert found.shape == (1, 3, 3, 1)
    assert np.all(found == np.float32(-7.5))
