# SPDX-License-Identifier: Apache-2.0
"""Sums about windows and shapes that the readers of ONNX and torch share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from intaglio.frontend.builder import UnsupportedError
from intaglio.ops.windows import Padding, Pair


def same_padding(size: Pair, kernel: Pair, stride: Pair, *, upper: bool = True) -> Padding:
    """Return the padding that makes ceil(size / stride) windows; `upper` puts the odd one last.

    Raises:
        UnsupportedError: windows leave out more than one place at the end. The standard's formula
            then gives padding below 0, of which every runtime makes something else.
    """
    totals = [
        (math.ceil(n / s) - 1) * s + k - n for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    if min(totals) < -1:
        raise UnsupportedError(
            f"windows of SAME padding must leave out at most one place at the end, "
            f"not {-min(totals)}",
            "pads",
        )
    totals = [max(n, 0) for n in totals]
    fewer, more = [n // 2 for n in totals], [n - n // 2 for n in totals]
    before, after = (fewer, more) if upper else (more, fewer)
    return before[0], before[1], after[0], after[1]


def ceiling(size: Pair, kernel: Pair, stride: Pair, padding: Padding) -> Pair:
    """Return how much more padding, below and right, gives the windows of ceil_mode.

    A window that would begin in the padding below or right does not count.
    """
    extra = [0, 0]
    for axis in (0, 1):
        before, after = padding[axis], padding[axis + 2]
        n, k, s = size[axis] + before + after, kernel[axis], stride[axis]
        windows = math.ceil((n - k) / s) + 1
        if (windows - 1) * s >= size[axis] + before:
            windows -= 1
        extra[axis] = max((windows - 1) * s + k - n, 0)
    return extra[0], extra[1]


def check_window(kernel: Pair, stride: Pair, padding: Padding) -> None:
    """Refuse windows that are empty or do not move, and negative padding.

    Raises:
        UnsupportedError: a number is too small.
    """
    if min(*kernel, *stride) < 1 or min(padding) < 0:
        raise UnsupportedError(
            f"kernel and stride must be at least 1 and padding 0, not {list(kernel)}, "
            f"{list(stride)}, {list(padding)}"
        )


def frame_target(frame: tuple[int, ...], batch: int, target: Sequence[int]) -> tuple[int, ...]:
    """Return what a reshape of a batch [batch, *frame] makes of a frame.

    Args:
        frame: the shape before, without the batch.
        batch: the size of the batch axis in computed shapes.
        target: the whole new shape; one size may be -1.

    Raises:
        UnsupportedError: the batch axis does not stay first and alone, or sizes do not fit.
    """
    size, rest = math.prod(frame), tuple(target[1:])
    known = math.prod(n for n in rest if n != -1)
    fits = bool(target) and target[0] in (-1, batch) and list(target).count(-1) <= 1 and known > 0
    if fits and -1 in rest and size % known == 0:
        rest = tuple(size // known if n == -1 else n for n in rest)
    if not fits or any(n < 1 for n in rest) or math.prod(rest) != size:
        raise UnsupportedError(
            f"its target must keep the batch axis first and the {size} elements of a frame, "
            f"not be {list(target)}",
            "Flatten",
        )
    return rest


def frame_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Turn axes of a batch of this rank, possibly negative, into axes of its frames.

    Raises:
        UnsupportedError: the batch axis is among them, or one does not exist.
    """
    positive = [axis + rank if axis < 0 else axis for axis in axes]
    if any(not 0 < axis < rank for axis in positive) or len(set(positive)) != len(positive):
        raise UnsupportedError(f"axes must leave the batch axis alone, not be {list(axes)}")
    return tuple(axis - 1 for axis in positive)


def squeezed(frame: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """Return a frame without axes of size 1.

    Raises:
        UnsupportedError: one of them is larger.
    """
    if any(frame[axis] != 1 for axis in axes):
        raise UnsupportedError(
            f"axes must be of size 1, not frame axes {list(axes)} of {list(frame)}"
        )
    return tuple(n for axis, n in enumerate(frame) if axis not in axes)


def unsqueezed(frame: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """Return a frame with axes of size 1 where the result has them."""
    sizes = iter(frame)
    return tuple(1 if axis in axes else next(sizes) for axis in range(len(frame) + len(axes)))
