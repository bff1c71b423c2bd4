# SPDX-License-Identifier: Apache-2.0
"""Sliding windows over channels-last images: geometry and views, shared by conv and pooling."""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError

Pair = tuple[int, int]
#: top, left, bottom, right
Padding = tuple[int, int, int, int]


def span(kernel: Pair, dilation: Pair) -> Pair:
    """Return how many rows and columns a window reaches over."""
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def output_size(
    shape: tuple[int, ...],
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
) -> Pair:
    """Return (P, Q): how many windows fit down and across an (H, W, C) frame.

    Raises:
        ModelError: the frame is no image, or the window does not fit or move.
    """
    if len(shape) != 3:
        raise ModelError(f"a window must slide over an (H, W, C) image, not {list(shape)}")
    if min(*kernel, *stride) < 1 or min(padding) < 0:
        raise ModelError(
            f"kernel and stride must be at least 1 and padding 0, not {kernel} {stride} {padding}"
        )
    if min(dilation) < 1:
        raise ModelError(f"dilation must be at least 1, not {dilation}")
    top, left, bottom, right = padding
    height, width = shape[0] + top + bottom, shape[1] + left + right
    down, across = span(kernel, dilation)
    if down > height or across > width:
        raise ModelError(f"a {down}x{across} window must fit the image, {height}x{width}")
    return (height - down) // stride[0] + 1, (width - across) // stride[1] + 1


def pad(x: np.ndarray, padding: Padding, value: float) -> np.ndarray:
    """Surround images [N, H, W, C] with a value."""
    top, left, bottom, right = padding
    if not any(padding):
        return x
    if np.issubdtype(x.dtype, np.integer) and not _holds(x.dtype, value):
        x = x.astype(np.int64)
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)


def _holds(dtype: np.dtype[np.signedinteger], value: float) -> bool:
    return bool(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max)


def windows(x: np.ndarray, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> np.ndarray:
    """View images [N, H, W, C] as windows [N, P, Q, R, S, C], without a copy."""
    view = np.lib.stride_tricks.sliding_window_view(x, span(kernel, dilation), axis=(1, 2))
    picked = view[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return picked.transpose(0, 1, 2, 4, 5, 3)
