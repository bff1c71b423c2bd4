# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ops.windows import Padding, Pair, output_size, pad, windows
from tests.ops import reference


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    reference.pairs,
    reference.pairs,
    reference.paddings,
    reference.pairs,
)
def test_as_many_windows_as_can_be_slid(
    size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair
) -> None:
    shape = (*size, 1)
    expected = reference.output_shape(shape, kernel, stride, padding, dilation)
    if min(expected) < 1:
        with pytest.raises(ModelError, match="window must fit the image"):
            output_size(shape, kernel, stride, padding, dilation)
        return
    assert output_size(shape, kernel, stride, padding, dilation) == expected
    image = np.arange(size[0] * size[1]).reshape(1, *shape)
    view = windows(pad(image, padding, -1), kernel, stride, dilation)
    assert view.shape == (1, *expected, *kernel, 1)
    for p, q in np.ndindex(*expected):
        for r, s, pixel in reference.window(image[0], p, q, kernel, stride, padding, dilation):
            assert view[0, p, q, r, s, 0] == (-1 if pixel is None else pixel[0])


def test_a_window_must_have_a_size_and_move() -> None:
    for kernel, stride in (((0, 1), (1, 1)), ((1, 1), (1, 0))):
        with pytest.raises(
            ModelError, match=r"^kernel and stride must be at least 1 and padding 0"
        ):
            output_size((4, 4, 1), kernel, stride, (0, 0, 0, 0))
    with pytest.raises(ModelError, match=r"^dilation must be at least 1, not \(1, 0\)"):
        output_size((4, 4, 1), (2, 2), (1, 1), (0, 0, 0, 0), (1, 0))


def test_a_pad_value_beyond_the_machine_type_does_not_wrap() -> None:
    padded = pad(np.zeros((1, 1, 1, 1), dtype=np.int8), (0, 0, 0, 1), 200)
    assert padded.ravel().tolist() == [0, 200]
    assert pad(np.zeros((1, 1, 1, 1), dtype=np.int8), (0, 0, 0, 1), 100).dtype == np.int8
