# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.multi_threshold import MultiThreshold

numbers = st.integers(-20, 20)


@given(st.lists(numbers, min_size=1, max_size=6), st.lists(numbers, min_size=1, max_size=9))
def test_it_counts_what_is_reached(bounds: list[int], values: list[int]) -> None:
    op = MultiThreshold(0.5, -1.0)
    x = np.array(values, np.float32)[:, None]
    found = op.evaluate(x, np.array([sorted(bounds)], np.float32))
    wanted = [0.5 * sum(value >= bound for bound in bounds) - 1 for value in values]
    assert found[:, 0].tolist() == wanted


def test_channels_have_thresholds_of_their_own() -> None:
    op = MultiThreshold()
    found = op.evaluate(np.array([[1, 1]], np.float32), np.array([[0, 1], [2, 3]], np.float32))
    assert found.tolist() == [[2, 0]]
    with pytest.raises(
        ModelError, match=r"thresholds must be \[3, T\] or \[1, T\], not f32\[2,4\]"
    ):
        op.infer(TensorType((3,), FLOAT32), TensorType((2, 4), FLOAT32))
