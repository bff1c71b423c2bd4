# SPDX-License-Identifier: Apache-2.0
"""The builder that the readers share: names, limits, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError

HERE = Site("layer", "")


def _image(builder: Builder, *shape: int) -> Activation:
    return builder.input("x", shape or (2, 4, 4), channels_first=True)


def test_names_are_plain_words_used_once() -> None:
    builder = Builder("g")
    x = _image(builder)
    wanted = ["a/b.c", "a b c", "1st", "", "x", "relu", "relu", "relu"]
    made = [builder.relu(x, Site(name, "")).name for name in wanted]
    assert made == ["a_b_c", "a_b_c_2", "v_1st", "v", "x_2", "relu", "relu_2", "relu_3"]


def test_images_are_turned_the_same_way() -> None:
    builder = Builder("g")
    x = builder.input("x", (2, 4, 4), channels_first=True)
    y = builder.input("y", (4, 4, 2), channels_first=False)
    with pytest.raises(
        ModelError, match="image inputs must be all channels-first or all channels-"
    ):
        builder.finish([("x", builder.relu(x, HERE)), ("y", builder.relu(y, HERE))])
    with pytest.raises(UnsupportedError, match="operands must have one shape and order"):
        builder.add(x, y, HERE)


def test_a_frame_has_a_limit() -> None:
    with pytest.raises(UnsupportedError, match="a frame must have at most 134217728 elements"):
        _image(Builder("g"), 1, 1 << 20, 1 << 20)


def test_a_padded_frame_has_the_same_limit() -> None:
    builder = Builder("g")
    with pytest.raises(UnsupportedError, match="a frame must have at most"):
        builder.max_pool(_image(builder), (1 << 40, 1), (1, 1), (1 << 40, 0, 0, 0), HERE)


def test_windows_have_a_limit() -> None:
    builder = Builder("g")
    x, weight = _image(builder, 1, 1 << 12, 1 << 12), np.ones((1, 1, 9, 9), np.float32)
    with pytest.raises(UnsupportedError, match="a convolution must read at most 268435456 numbers"):
        builder.conv2d(x, weight, None, (1, 1), (0, 0, 0, 0), HERE)


@pytest.mark.parametrize("value", [0.5, np.inf, np.nan])
def test_padding_is_with_integers(value: float) -> None:
    builder = Builder("g")
    with pytest.raises(UnsupportedError, match="the padding value must be an integer, not"):
        builder.pad(_image(builder), (1, 1, 1, 1), value, HERE)


def test_bounds_are_numbers_and_open_ends_are_the_largest_floats() -> None:
    builder = Builder("g")
    x = _image(builder)
    with pytest.raises(UnsupportedError, match="bounds must be numbers, not NaN"):
        builder.clip(x, np.nan, 1.0, HERE)
    assert builder.nodes[builder.clip(x, 0.0, np.inf, HERE).name].op.name == "relu"
    low = builder.nodes[builder.clip(x, -np.inf, 1.0, HERE).name].op.attributes()["low"]
    assert np.float32(low) == np.finfo(np.float32).min


def test_nothing_follows_an_argmax() -> None:
    builder = Builder("g")
    vector = builder.input("x", (4,), channels_first=True)
    index = builder.argmax(vector, HERE)
    assert builder.is_integer(index)
    with pytest.raises(UnsupportedError, match="nothing must follow an argmax"):
        builder.relu(index, HERE)
    with pytest.raises(UnsupportedError, match="argmax must be over a vector of scores"):
        builder.argmax(_image(Builder("g")), HERE)


def test_weights_leave_no_float() -> None:
    builder = Builder("g")
    vector = builder.input("x", (1,), channels_first=True)
    with pytest.raises(UnsupportedError, match="a constant must be finite"):
        builder.matmul(vector, np.array([[1e300]]), None, HERE)


def test_a_mean_leaves_the_channels() -> None:
    builder = Builder("g")
    x = _image(builder)
    assert builder.mean(x, (1, 2), HERE, keep=False).shape == (2,)
    assert builder.mean(x, (2,), HERE, keep=True).shape == (2, 4, 1)
    for axes in ((0,), (0, 1, 2), ()):
        with pytest.raises(UnsupportedError, match="a mean must go over the positions"):
            builder.mean(x, axes, HERE, keep=True)
