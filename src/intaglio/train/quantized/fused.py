# SPDX-License-Identifier: Apache-2.0
"""What training does to every number, each in one pass over memory: rounding, its gradient, cuts.

Rows share a scale: one row for a whole tensor, or one for each output channel. All sums and
products are those of 32-bit floats, operation by operation as in `fake_quantize.by_definition`;
only the long sums of learned scales are added in another order, which lets them run side by side.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
_HALF = np.float32(0.5)
_ONE = np.float32(1)
_ZERO = np.float32(0)
#: Elements summed in 32 bits; longer sums are of 64.
_BLOCK = 4096


@numba.njit(cache=True, nogil=True, inline="always")
def _rounded(v: np.float32, even: bool) -> np.float32:
    if even:
        return np.rint(v)
    down = np.floor(v)
    return down + (_ONE if v - down >= _HALF else _ZERO)


@numba.njit(cache=True, nogil=True)
def forward(
    x: Floats, scale: Floats, zero: Floats, ends: tuple[float, float], even: bool, out: Floats
) -> None:
    """Write `scale * (clamp(round(x / scale) + zero, low, high) - zero)` for each row.

    Shapes: x, out [R, N]; scale, zero [R].
    """
    low, high = np.float32(ends[0]), np.float32(ends[1])
    for r in range(x.shape[0]):
        s, z = scale[r], zero[r]
        for i in range(x.shape[1]):
            code = _rounded(x[r, i] / s, even) + z
            code = low if code < low else code
            code = high if code > high else code
            out[r, i] = s * (code - z)


@numba.njit(cache=True, nogil=True)
def backward(
    x: Floats,
    gradient: Floats,
    scale: Floats,
    zero: Floats,
    ends: tuple[float, float],
    out: Floats,
) -> None:
    """Write the gradient of `x`: passed on inside the grid's ends, stopped outside."""
    for r in range(x.shape[0]):
        s = scale[r]
        bottom, top = np.float32(ends[0]) - zero[r], np.float32(ends[1]) - zero[r]
        for i in range(x.shape[1]):
            v = x[r, i] / s
            out[r, i] = gradient[r, i] if (v >= bottom) & (v <= top) else _ZERO


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def _sums(
    x: Floats, gradient: Floats, scale: np.float32, bottom: np.float32, top: np.float32, even: bool
) -> tuple[np.float32, np.float32]:
    of_scale, of_zero = _ZERO, _ZERO
    for i in range(x.shape[0]):
        v, g = x[i] / scale, gradient[i]
        moved = _rounded(v, even) - v
        moved = bottom if v < bottom else moved
        moved = top if v > top else moved
        of_scale += g * moved
        of_zero += _ZERO if (v >= bottom) & (v <= top) else g
    return of_scale, of_zero


@numba.njit(cache=True, nogil=True)
def sums(
    x: Floats,
    gradient: Floats,
    scale: Floats,
    zero: Floats,
    ends: tuple[float, float],
    even: bool,
    found: np.ndarray[Any, np.dtype[np.float64]],
) -> None:
    """Write the gradients of each row's scale and zero point.

    Shapes: found [2, R]: those of scale, those of zero point.
    """
    for r in range(x.shape[0]):
        bottom, top = np.float32(ends[0]) - zero[r], np.float32(ends[1]) - zero[r]
        of_scale, of_zero = 0.0, 0.0
        for start in range(0, x.shape[1], _BLOCK):
            block, its = x[r, start : start + _BLOCK], gradient[r, start : start + _BLOCK]
            if even:
                part = _sums(block, its, scale[r], bottom, top, True)
            else:
                part = _sums(block, its, scale[r], bottom, top, False)
            of_scale += part[0]
            of_zero += part[1]
        found[0, r] = of_scale
        found[1, r] = -of_zero * scale[r]


@numba.njit(cache=True, nogil=True)
def split(x: Floats) -> tuple[Floats, Floats]:
    """Return the positive numbers, and the magnitudes of the negative ones."""
    right, left = np.empty_like(x), np.empty_like(x)
    m, n = 0, 0
    for i in range(x.shape[0]):
        right[m] = x[i]
        left[n] = -x[i]
        m += x[i] > _ZERO
        n += x[i] < _ZERO
    return right[:m], left[:n]


@numba.njit(cache=True, nogil=True)
def cut(
    x: Floats,
    thresholds: Floats,
    widths: Floats,
    counts: tuple[int, int],
    codes: np.ndarray[Any, np.dtype[np.int64]],
    sums: np.ndarray[Any, np.dtype[np.float64]],
    found: np.ndarray[Any, np.dtype[np.int64]],
) -> None:
    """Write the code of each weight, and sum and number of those of each code.

    The first of two thresholds, widths and counts of intervals is that of positive weights.
    """
    for i in range(x.shape[0]):
        level = 0
        if x[i] > thresholds[0] and counts[0] > 0:
            level = min(int((x[i] - thresholds[0]) / widths[0]), counts[0] - 1) + 1
        elif -x[i] > thresholds[1] and counts[1] > 0:
            level = -min(int((-x[i] - thresholds[1]) / widths[1]), counts[1] - 1) - 1
        code = level + counts[1]
        codes[i] = code
        sums[code] += x[i]
        found[code] += 1
