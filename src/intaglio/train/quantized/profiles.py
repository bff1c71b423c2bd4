# SPDX-License-Identifier: Apache-2.0
"""Quantizers as two published programs have them, quirks and all: history, not advice.

`flownetq-published` (the quantized FlowNetS): activations are a quarter of what batch normalization
gives, in [0, 1), and are never made four times as large again; weights are in [-R, R), R = 1/8.

`clipq-published` (a reimplementation of CLIP-Q): the smallest weights of each sign, their number
rounded up, become 0; the positive side always has 2^(b-1) - 1 intervals and the negative one
2^(b-1); a mean is `sum / (count + 1e-7)`, cut off toward zero to Q3.5, three bits before the point
and five behind it. Means below 1/32 thus are 0, and with them whole sides of a layer.
"""

from __future__ import annotations

import math

import torch

from intaglio.train.quantized.clipq import Clipped, ClipQ, Side, check_theta, cut, magnitudes
from intaglio.train.quantized.fixed_range import fixed_activations, fixed_weights
from intaglio.train.quantized.quantizer import Grid

FLOWNET_WEIGHT_RANGE = 1 / 8
QUARTER = 0.25
#: Q3.5, its sign among the three: -4 .. 4 - 1/32.
FRACTION = 1 / 32
LEAST, MOST = -4.0, 4 - FRACTION
GUARD = 1e-7


class FlowNetActivations(Grid):
    """A quarter of the number, rounded halves up to 2^bits levels in [0, 1)."""

    def __init__(self, bits: int) -> None:
        plain = fixed_activations(bits, 1.0)
        super().__init__(plain.scale, plain.zero_point, plain.low, plain.high)

    def chosen(self, x: torch.Tensor) -> torch.Tensor:
        """Return a quarter of the number."""
        return QUARTER * x


def flownet_weights(bits: int) -> Grid:
    """Return the grid of weights in [-1/8, 1/8).

    Raises:
        QuantizationError: bits are not 2..8; of one bit only -1/8 and 0 would be left.
    """
    return fixed_weights(bits, FLOWNET_WEIGHT_RANGE)


class PublishedClipQ(ClipQ):
    """CLIP-Q as the reimplementation has it; the scale is always 1/32."""

    def clipped(self, x: torch.Tensor) -> Clipped:
        """Return levels, and centroids in Q3.5."""
        return published_clip(x.detach(), self.prune, self.bits)

    def scale_of(self, clipped: Clipped) -> torch.Tensor:
        """Return 1/32."""
        return clipped.centroids.new_tensor([FRACTION])


def published_clip(x: torch.Tensor, prune: float = 0.4, bits: int = 2) -> Clipped:
    """Prune and cut a tensor by the published program's rules.

    Stored codes are levels plus 2^(bits-1): for 2 bits 0 far negative, 1 near negative, 2 zero,
    3 positive.

    Raises:
        QuantizationError: prune is not in 0..1 (1 left out), or bits are not 2..8.
    """
    check_theta(prune, bits)
    half = 1 << (bits - 1)
    sides = [Side.of(part, math.ceil(prune * len(part))) for part in magnitudes(x)]
    found = cut(x, sides, (half - 1, half), GUARD)
    centroids = (found.centroids - torch.fmod(found.centroids, FRACTION)).clamp(LEAST, MOST)
    return Clipped(found.codes, centroids, found.offset)
