# SPDX-License-Identifier: Apache-2.0
"""Windows and shapes; padding itself is checked against ONNX Runtime in test_onnx."""

from __future__ import annotations

import pytest

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    frame_target,
    same_padding,
    squeezed,
    unsqueezed,
)


def test_same_padding_puts_the_odd_one_where_told() -> None:
    assert same_padding((5, 6), (2, 3), (1, 1)) == (0, 1, 1, 1)
    assert same_padding((5, 6), (2, 3), (1, 1), upper=False) == (1, 1, 0, 1)
    assert same_padding((6, 6), (1, 1), (2, 2)) == (0, 0, 0, 0)


def test_ceiling_adds_what_the_last_window_lacks() -> None:
    none = (0, 0, 0, 0)
    assert ceiling((5, 6), (2, 2), (2, 2), none) == (1, 0)
    assert ceiling((4, 4), (3, 3), (2, 2), (1, 1, 1, 1)) == (1, 1)
    assert ceiling((3, 3), (1, 1), (4, 4), none) == (0, 0)  # it would begin outside


@pytest.mark.parametrize(
    ("target", "frame"),
    [((2, -1), (24,)), ((-1, 24), (24,)), ((2, 4, -1), (4, 6)), ((2, 24, 1), (24, 1))],
)
def test_a_target_leaves_the_batch_alone(target: tuple[int, ...], frame: tuple[int, ...]) -> None:
    assert frame_target((2, 3, 4), 2, target) == frame


@pytest.mark.parametrize("target", [(), (48,), (1, 48), (-1, -1), (-1, 12), (2, 5, -1), (2, 0, -1)])
def test_a_target_that_does_not_fit_is_refused(target: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedError, match="its target must keep the batch axis first"):
        frame_target((2, 3, 4), 2, target)


def test_axes_are_those_of_frames() -> None:
    assert frame_axes((1, -1), 4) == (0, 2)
    for axes in ((0,), (-4,), (4,), (1, -3)):
        with pytest.raises(UnsupportedError, match="axes must leave the batch axis alone"):
            frame_axes(axes, 4)


def test_axes_of_size_one_come_and_go() -> None:
    assert squeezed((3, 1, 2), (1,)) == (3, 2)
    assert unsqueezed((3, 2), (1, 3)) == (3, 1, 2, 1)
    with pytest.raises(UnsupportedError, match=r"axes must be of size 1, not frame axes \[0\]"):
        squeezed((3, 1), (0,))


def test_windows_must_be_windows() -> None:
    check_window((1, 1), (1, 1), (0, 0, 0, 0))
    for kernel, stride, padding in [
        ((0, 1), (1, 1), (0, 0, 0, 0)),
        ((1, 1), (1, 0), (0, 0, 0, 0)),
        ((1, 1), (1, 1), (0, -1, 0, 0)),
    ]:
        with pytest.raises(UnsupportedError, match="kernel and stride must be at least 1"):
            check_window(kernel, stride, padding)
