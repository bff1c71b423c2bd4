# SPDX-License-Identifier: Apache-2.0
"""Ranges fixed beforehand: activations in [0, R), weights in [-R, R), and nothing learned.

With k bits the scale of activations is R / 2^k, that of weights R / 2^(k-1); the codes are all of
k bits. A latent weight outside its range is used as the nearest end and keeps its value.
"""

from __future__ import annotations

import math

import torch

from intaglio.errors import QuantizationError
from intaglio.train.quantized.quantizer import Grid, check_bits

#: Where batch normalization puts nearly all of what ReLU lets through.
ACTIVATION_RANGE = 4.0
WEIGHT_RANGE = 1.0


def fixed_activations(bits: int, range_: float = ACTIVATION_RANGE) -> Grid:
    """Return the grid of activations in [0, range) with unsigned codes.

    Raises:
        QuantizationError: bits are not 1..8, or the range not positive and finite.
    """
    check_bits("activations", bits)
    _check_range("activations", range_)
    levels = 1 << bits
    return Grid(torch.tensor([range_ / levels]), torch.zeros(1), 0, levels - 1)


def fixed_weights(bits: int, range_: float = WEIGHT_RANGE) -> Grid:
    """Return the grid of weights in [-range, range) with signed codes.

    Raises:
        QuantizationError: bits are not 2..8, or the range not positive and finite.
    """
    check_bits("weights of a fixed range", bits, 2)
    _check_range("weights", range_)
    half = 1 << (bits - 1)
    return Grid(torch.tensor([range_ / half]), torch.zeros(1), -half, half - 1)


def _check_range(what: str, range_: float) -> None:
    if not 0 < range_ < math.inf:
        raise QuantizationError(f"the range of {what} must be positive and finite, not {range_}")
