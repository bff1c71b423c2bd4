# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.upsample_bilinear import UpsampleBilinear

shapes = st.tuples(*[st.integers(1, 5)] * 3)


@given(shapes, st.integers(0, 1000))
def test_upsample_bilinear_equals_the_loops(shape: tuple[int, int, int], seed: int) -> None:
    # Whole numbers below 2^20 and sixteenths of them are exact in 32-bit floats.
    x = np.random.default_rng(seed).integers(-500, 500, (2, *shape)).astype(np.float32)
    found = UpsampleBilinear().evaluate(x)
    assert found.dtype == np.float32
    for n, p, q, c in np.ndindex(found.shape):
        total = 0.0
        for h, down in _taps(p, shape[0]):
            for w, across in _taps(q, shape[1]):
                total += down * across * float(x[n, h, w, c])
        assert found[n, p, q, c] == total / 16


def _taps(place: int, size: int) -> list[tuple[int, int]]:
    """The two places that make one of the result, with their weights in quarters."""
    near, side = divmod(place, 2)
    far = near + 1 if side else near - 1
    return [(near, 3), (min(max(far, 0), size - 1), 1)]


def test_upsample_bilinear_names_what_it_cannot_take() -> None:
    with pytest.raises(ModelError, match=r"must be given an \(H, W, C\) image, not f32\[2,1\]$"):
        UpsampleBilinear().infer(TensorType((2, 1), FLOAT32))
    with pytest.raises(
        ModelError,
        match=r"^upsample_bilinear must be fed floats, not u4\[2,1,1\]: use upsample_linear on",
    ):
        UpsampleBilinear().infer(TensorType((2, 1, 1), IntType(4, signed=False)))
