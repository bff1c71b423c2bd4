# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.windows import Pair
from tests.ops import reference


@given(reference.geometries(), reference.elements, st.integers(-300, 300), st.data())
def test_sum_pool_equals_the_loops_and_its_lowering(
    geometry: reference.Geometry,
    element: IntType,
    value: int,
    data: st.DataObject,
) -> None:
    shape, kernel, stride, padding = geometry
    x = data.draw(reference.integers(element, shape))
    op, types = SumPool(kernel, stride, padding, value), [TensorType(shape[1:], element)]
    found = reference.evaluated(op, types, x)
    assert found.tolist() == reference.pool(
        x, kernel, stride, padding, lambda w: sum(value if v is None else v for v in w)
    )
    if (steps := op.lower(types)) is not None:
        assert np.array_equal(steps[1].op.evaluate(steps[0].op.evaluate(x)), found)
        assert steps[1].op.infer(steps[0].op.infer(*types)) == op.infer(*types)
    else:
        assert not any(padding)


@pytest.mark.parametrize("text", ["u8", "s8", "s8n", "u1"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 2)])
def test_the_type_of_a_sum_is_reached_and_no_wider(text: str, kernel: Pair) -> None:
    element = IntType.parse(text)
    op = SumPool(kernel, (1, 1))
    ends = [
        int(op.evaluate(np.full((1, *kernel, 1), end)).item()) for end in (element.min, element.max)
    ]
    found = op.infer(TensorType((*kernel, 1), element)).integer
    assert reference.is_tight(found, min(ends), max(ends))
