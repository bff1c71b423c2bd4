# SPDX-License-Identifier: Apache-2.0
"""Weights that are multiples of a step: found by their values, whoever quantised them.

A network that was trained for few bits, or read from a file of a quantised one, has floats

    weight[k, ...] = scale[k] * code[k, ...]        as float32 rounds it

in its layers. The step is found as the largest that makes all codes integers, for the whole tensor
if there is one that needs no more bits, else channel by channel; the scale is that float32 which
gives every weight back to its last bit. So a coarser step than the declared one
is taken where all codes share a factor, and binary weights have the codes -1 and 1 whatever they
were called.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Codes of 8 bits, less a zero point of 8 bits, are within this magnitude.
MAX_CODE = 255
#: Fixed-point numbers are accepted up to 16 bits: their step is a power of two, and so is exact.
MAX_FIXED = (1 << 15) - 1
#: How far a product of two float32 numbers may lie from the real one, as a part of it: two
#: roundings, of the scale and of the product.
_CLOSE = 2.0**-22
#: The scale is looked for among so many float32 neighbors of the estimate.
_NEIGHBORS = 8


@dataclass(frozen=True, eq=False)
class Grid:
    """Weights as integers. Shapes: codes [K, ...] as the weights, scale [K] or [1]."""

    codes: np.ndarray
    scale: np.ndarray

    @property
    def bits(self) -> int:
        """Bits of the largest code."""
        return int(np.abs(self.codes).max()).bit_length()


def grid_of(weight: np.ndarray) -> Grid | None:
    """Return the integers that weights are multiples of, or None if they are not.

    Shapes: weight [K, ...] float32.

    Exactness: float32(scale) * float32(code) is the weight, bit for bit, or lies within two
    roundings of it where something else multiplied the scale.
    """
    weight = weight.astype(np.float32)
    whole = _step(weight)
    alike = None if whole is None else _grid(weight, np.array([whole or 1.0]))
    steps = [_step(row) for row in weight]
    found = [step for step in steps if step]
    if any(step is None for step in steps) or not found:
        return alike
    # A channel of zeros takes the scale of another: any would do.
    apart = _grid(weight, np.array([step or found[0] for step in steps]))
    return apart if alike is None or apart.bits < alike.bits else alike


def _grid(weight: np.ndarray, scale: np.ndarray) -> Grid:
    columns = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return Grid(np.rint(weight.astype(np.float64) / columns).astype(np.int64), scale)


def _step(values: np.ndarray) -> float | None:
    """Return the largest step that all values are small multiples of; 0 where all are zero."""
    sizes = np.unique(np.abs(values[values != 0]))
    if len(sizes) == 0:
        return 0.0
    fixed = _fixed_step(sizes, MAX_CODE)
    if fixed is not None:
        return fixed
    if len(sizes) > MAX_CODE:
        return _fixed_step(sizes, MAX_FIXED)
    exact = sizes.astype(np.float64)
    for divisor in range(1, MAX_CODE + 1):
        step = exact[0] / divisor
        codes = np.rint(exact / step)
        if codes[-1] > MAX_CODE:
            break
        if np.all(np.abs(exact - codes * step) <= _CLOSE * exact):
            return _scale(sizes, codes)
    return _fixed_step(sizes, MAX_FIXED)


def _fixed_step(sizes: np.ndarray, most: int) -> float | None:
    """Return the largest power of two that all values are multiples of, if they fit."""
    mantissas, exponents = np.frexp(sizes.astype(np.float64))
    integers = (mantissas * 2.0**24).astype(np.int64)
    lowest = integers & -integers
    step = float(np.min(np.ldexp(lowest.astype(np.float64), exponents - 24)))
    return step if float(sizes[-1]) / step <= most else None


def _scale(sizes: np.ndarray, codes: np.ndarray) -> float:
    """Return the float32 whose products with the codes are the values."""
    estimate = np.float32(float(sizes[-1]) / codes[-1])
    up = down = estimate
    integers = codes.astype(np.float32)
    for _ in range(_NEIGHBORS):
        for scale in (up, down):
            if np.array_equal(scale * integers, sizes):
                return float(scale)
        up, down = np.nextafter(up, np.float32(np.inf)), np.nextafter(down, np.float32(0))
    return float(sizes[-1]) / float(codes[-1])
