# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from intaglio.report.png import LARGEST, data_uri, encode, picture


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(), (3,)]), st.integers(0, 99))
def test_pixels_come_back_as_they_were(
    height: int, width: int, color: tuple[int, ...], seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *color), np.uint8)
    with Image.open(io.BytesIO(encode(pixels))) as image:
        assert image.mode == ("RGB" if color else "L")
        assert np.array_equal(np.asarray(image), pixels)


def test_a_picture_stands_in_the_page_itself() -> None:
    pixels = np.zeros((2, 3), np.uint8)
    kind, _, data = data_uri(pixels).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == encode(pixels)


def test_the_range_goes_from_black_to_white() -> None:
    frame = np.array([[[-1.0], [0.0], [1.0], [9.0]]])
    pixels = picture(frame, -1, 1)
    assert pixels is not None
    assert pixels.tolist() == [[0, 128, 255, 255]]
    flat = picture(frame, 2, 2)
    assert flat is not None
    assert not flat.any()


@pytest.mark.parametrize(("channels", "shape"), [(1, (4, 5)), (2, (4, 5)), (3, (4, 5, 3))])
def test_three_channels_are_colors_and_others_gray(channels: int, shape: tuple[int, ...]) -> None:
    pixels = picture(np.zeros((4, 5, channels)), 0, 1)
    assert pixels is not None
    assert pixels.shape == shape


def test_large_pictures_are_thinned_out() -> None:
    pixels = picture(np.zeros((LARGEST * 2 + 1, 10, 1)), 0, 1)
    assert pixels is not None
    assert pixels.shape == (65, 4)


def test_a_vector_is_no_picture() -> None:
    assert picture(np.zeros(7), 0, 1) is None
