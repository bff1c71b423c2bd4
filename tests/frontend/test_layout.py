# SPDX-License-Identifier: Apache-2.0
"""Layouts against numpy's own transposes and reshapes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.frontend.layout import Layout

FRAMES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def _batch(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(2 * math.prod(shape)).reshape(2, *shape)


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, tuple[int, ...]]]:
    """Draw transposes and reshapes, as a source might chain them."""
    steps = []
    for _ in range(draw(st.integers(1, 5))):
        steps.append(
            (
                draw(st.sampled_from(["transpose", "reshape", "flatten", "squeeze", "unsqueeze"])),
                draw(st.tuples(*[st.integers(0, 99)] * 4)),
            )
        )
    return steps


@given(FRAMES, _steps())
def test_our_elements_stay_where_they_are(
    frame: tuple[int, ...], steps: list[tuple[str, tuple[int, ...]]]
) -> None:
    layout = Layout.of(frame, channels_first=True)
    source = _batch(frame)
    ours = layout.to_ours(source).reshape(2, -1)
    for kind, numbers in steps:
        shape = layout.shape
        if kind == "transpose":
            if layout.flattened:
                continue
            order = tuple(sorted(range(len(shape)), key=lambda axis: numbers[axis % 4] + axis))
            layout = layout.transposed(order)
            source = source.transpose(0, *(axis + 1 for axis in order))
        else:
            found = layout.reshaped(target := _target(kind, shape, numbers[0]))
            if found is None:
                continue
            layout, source = found, source.reshape(2, *target)
        assert layout.shape == source.shape[1:]
        np.testing.assert_array_equal(layout.to_ours(source).reshape(2, -1), ours)
        np.testing.assert_array_equal(layout.to_source(layout.to_ours(source)), source)


def _target(kind: str, shape: tuple[int, ...], number: int) -> tuple[int, ...]:
    if kind == "flatten":
        return (math.prod(shape),)
    if kind == "squeeze":
        return tuple(n for n in shape if n > 1) or (1,)
    if kind == "unsqueeze":
        place = number % (len(shape) + 1)
        return (*shape[:place], 1, *shape[place:])
    size = math.prod(shape)
    first = next(n for n in range(number % size + 1, 0, -1) if size % n == 0)
    return first, size // first


def test_an_image_is_turned_and_its_vector_too() -> None:
    image = Layout.of((2, 3, 4), channels_first=True)
    assert image.ours == (3, 4, 2)
    vector = image.reshaped((24,))
    assert vector is not None
    assert vector.flattened
    expected = np.arange(24).reshape(2, 3, 4).transpose(1, 2, 0).ravel()
    np.testing.assert_array_equal(vector.to_ours(np.arange(24)[None])[0], expected)
    assert vector.reshaped((2, 3, 4)) == image
    assert vector.reshaped((4, 6)) is None


@pytest.mark.parametrize("shape", [(5, 1, 1), (1, 5, 3), (1, 1, 4)])
def test_an_image_that_has_one_order_only_flattens_freely(shape: tuple[int, ...]) -> None:
    vector = Layout.of(shape, channels_first=True).reshaped((math.prod(shape),))
    assert vector is not None
    assert not vector.flattened


def test_channels_last_stays_as_it_is() -> None:
    layout = Layout.of((3, 4, 2), channels_first=False)
    assert layout.ours == (3, 4, 2)
    assert layout.spread == [0, 1, 2]
    turned = layout.transposed((2, 0, 1))
    assert turned == Layout.of((2, 3, 4), channels_first=True)
    assert (turned.spread, turned.axis(0), turned.channel) == ([1, 2, 0], 2, 0)
    assert turned.resized((1, 3, 4)).spread == [1, 2]
