# SPDX-License-Identifier: Apache-2.0
"""The builder that the readers share: names, limits, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError
from intaglio.frontend.layers import borders, pointwise, products, windows
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.reshape import Reshape
from intaglio.ops.transpose import Transpose

HERE = Site("layer", "")


def _image(builder: Builder, *shape: int) -> Activation:
    return builder.input("x", shape or (2, 4, 4), channels_first=True)


def test_names_are_plain_words_used_once() -> None:
    builder = Builder("g")
    x = _image(builder)
    wanted = ["a/b.c", "a b c", "1st", "", "x", "relu", "relu", "relu"]
    made = [pointwise.relu(builder, x, Site(name, "")).name for name in wanted]
    assert made == ["a_b_c", "a_b_c_2", "v_1st", "v", "x_2", "relu", "relu_2", "relu_3"]


def test_images_are_turned_the_same_way() -> None:
    builder = Builder("g")
    x = builder.input("x", (2, 4, 4), channels_first=True)
    y = builder.input("y", (4, 4, 2), channels_first=False)
    with pytest.raises(
        ModelError, match="image inputs must be all channels-first or all channels-"
    ):
        builder.finish(
            [("x", pointwise.relu(builder, x, HERE)), ("y", pointwise.relu(builder, y, HERE))]
        )
    with pytest.raises(UnsupportedError, match="operands must have one shape, not"):
        pointwise.add(builder, x, y, HERE)


def test_a_frame_has_a_limit() -> None:
    with pytest.raises(UnsupportedError, match="a frame must have at most 33554432 elements"):
        _image(Builder("g"), 1, 1 << 20, 1 << 20)


def test_a_padded_frame_has_the_same_limit() -> None:
    builder = Builder("g")
    with pytest.raises(UnsupportedError, match="a frame must have at most"):
        windows.max_pool(builder, _image(builder), (1 << 40, 1), (1, 1), (1 << 40, 0, 0, 0), HERE)


def test_windows_have_a_limit() -> None:
    builder = Builder("g")
    x, weight = _image(builder, 1, 1 << 12, 1 << 12), np.ones((1, 1, 9, 9), np.float32)
    with pytest.raises(UnsupportedError, match="a convolution must read at most 67108864 numbers"):
        windows.conv2d(builder, x, weight, None, Conv2d(), HERE)


@pytest.mark.parametrize("value", [0.5, np.inf, np.nan])
def test_padding_is_with_integers(value: float) -> None:
    builder = Builder("g")
    with pytest.raises(UnsupportedError, match="the padding value must be an integer, not"):
        borders.pad(builder, _image(builder), [(0, 0), (1, 1), (1, 1)], "constant", value, HERE)


def test_bounds_are_numbers_and_open_ends_are_the_largest_floats() -> None:
    builder = Builder("g")
    x = _image(builder)
    with pytest.raises(UnsupportedError, match="bounds must be numbers, not NaN"):
        pointwise.clip(builder, x, np.nan, 1.0, HERE)
    assert builder.nodes[pointwise.clip(builder, x, 0.0, np.inf, HERE).name].op.name == "relu"
    low = builder.nodes[pointwise.clip(builder, x, -np.inf, 1.0, HERE).name].op.attributes()["low"]
    assert np.float32(low) == np.finfo(np.float32).min


def test_nothing_follows_an_argmax() -> None:
    builder = Builder("g")
    vector = builder.input("x", (4,), channels_first=True)
    index = pointwise.argmax(builder, vector, HERE)
    assert builder.is_integer(index)
    with pytest.raises(UnsupportedError, match="nothing must follow an argmax"):
        pointwise.relu(builder, index, HERE)
    with pytest.raises(UnsupportedError, match="argmax must be over a vector of scores"):
        pointwise.argmax(builder, _image(Builder("g")), HERE)


def test_weights_leave_no_float() -> None:
    builder = Builder("g")
    vector = builder.input("x", (1,), channels_first=True)
    with pytest.raises(UnsupportedError, match="a constant must be finite"):
        products.matmul(builder, vector, np.array([[1e300]]), None, HERE)


def test_means_and_maxima_go_over_any_axes_that_are_there() -> None:
    builder = Builder("g")
    x = _image(builder)
    assert windows.mean(builder, x, (1, 2), HERE, keep=False).shape == (2,)
    assert windows.mean(builder, x, (2,), HERE, keep=True).shape == (2, 4, 1)
    assert windows.mean(builder, x, (0,), HERE, keep=True).shape == (1, 4, 4)
    assert windows.mean(builder, x, (0, 1, 2), HERE, keep=False).shape == ()
    with pytest.raises(UnsupportedError, match="a maximum must go over positions, not over"):
        windows.maximum(builder, x, (0,), HERE, keep=True)


def test_frames_are_moved_only_where_they_lie_otherwise() -> None:
    builder = Builder("g")
    x = _image(builder, 2, 3, 4)
    assert builder.ordered(x, (1, 2, 0), HERE) == x
    plain = builder.ordered(x, (0, 1, 2), HERE)
    assert builder.nodes[plain.name].op == Transpose((2, 0, 1))
    thin = builder.input("y", (5, 1, 1), channels_first=True)
    assert builder.nodes[builder.ordered(thin, (0, 1, 2), HERE).name].op == Reshape((5, 1, 1))
