# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.pad import Pad
from intaglio.ops.windows import Padding
from tests.ops import reference


@given(reference.elements, reference.paddings, st.integers(-600, 600), st.data())
def test_pad_equals_the_loops_and_its_type_holds_the_value(
    element: IntType, padding: Padding, value: int, data: st.DataObject
) -> None:
    x = data.draw(reference.integers(element, (2, 2, 3, 2)))
    op, types = Pad(padding, value), [TensorType((2, 3, 2), element)]
    found = reference.evaluated(op, types, x)
    top, left, _, _ = padding
    for n, h, w, c in np.ndindex(found.shape):
        inside = top <= h < top + 2 and left <= w < left + 3
        assert found[n, h, w, c] == (x[n, h - top, w - left, c] if inside else value)
    outside = any(padding) and not element.min <= value <= element.max
    if outside:
        ends = (min(element.min, value), max(element.max, value))
        assert reference.is_tight(op.infer(*types).integer, *ends)
    else:
        assert op.infer(*types).element == element


def test_pad_keeps_floats_and_refuses_what_is_no_image() -> None:
    x = np.ones((1, 1, 1, 1), dtype=np.float32)
    found = Pad((1, 0, 0, 1)).evaluate(x)
    assert found.dtype == np.float32
    assert found[0, :, :, 0].tolist() == [[0.0, 0.0], [1.0, 0.0]]
    with pytest.raises(ModelError, match=r"^pad must be given an \(H, W, C\) image, not f32\[3\]$"):
        Pad((1, 1, 1, 1)).infer(TensorType((3,), FLOAT32))
    with pytest.raises(ModelError, match=r"^padding must be at least 0, not \(0, -1, 0, 0\)$"):
        Pad((0, -1, 0, 0)).infer(TensorType((3, 3, 1), FLOAT32))
