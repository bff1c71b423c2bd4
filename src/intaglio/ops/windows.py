# SPDX-License-Identifier: Apache-2.0
"""Sliding windows over channels-last images: geometry and views, shared by conv and pooling."""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError

Pair = tuple[int, int]
#: top, left, bottom, right
Padding = tuple[int, int, int, int]


def output_size(shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Padding) -> Pair:
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
    top, left, bottom, right = padding
    height, width = shape[0] + top + bottom, shape[1] + left + right
    if kernel[0] > height or kernel[1] > width:
        raise ModelError(f"a {kernel[0]}x{kernel[1]} window must fit the image, {height}x{width}")
    return (height - kernel[0]) // stride[0] + 1, (width - kernel[1]) // stride[1] + 1


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


def windows(x: np.ndarray, kernel: Pair, stride: Pair) -> np.ndarray:
    """View images [N, H, W, C] as windows [N, P, Q, R, S, C], without a copy."""
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return view[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)
