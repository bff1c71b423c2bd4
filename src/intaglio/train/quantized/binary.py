# SPDX-License-Identifier: Apache-2.0
"""Weights of one bit: a sign, times the mean magnitude of the filter, or times 1.

Source: Courbariaux et al., "BinaryConnect", NIPS 2015 (scale 1); Rastegari et al., "XNOR-Net",
ECCV 2016, section 3.1 (the mean). The gradient goes straight through.
"""

from __future__ import annotations

from typing import Literal

import torch

from intaglio.train.quantized.quantizer import (
    Quantizer,
    each_channel,
    nearest_power_of_two,
    straight_through,
)

BinaryScale = Literal["channel", "tensor", "one"]
#: Stands for the mean of a filter of zeros, whose sign has to mean something.
LEAST_SCALE = 2.0**-24


class Binary(Quantizer):
    """Codes -1 and 1, never 0; a weight of 0 is 1.

    Args:
        scale: the mean magnitude of each output channel or of the whole tensor, or 1.
        power_of_two: use the nearest power of two of the mean.
    """

    def __init__(self, scale: BinaryScale = "channel", *, power_of_two: bool = False) -> None:
        super().__init__(-1, 1)
        self.of, self.power_of_two = scale, power_of_two

    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean magnitudes."""
        x = x.detach()
        zero = x.new_zeros(1)
        if self.of == "one":
            return x.new_ones(1), zero
        if self.of == "tensor":
            scale = x.abs().mean().reshape(1)
        else:
            scale = x.abs().flatten(1).mean(1).reshape(each_channel(x))
        scale = scale.clamp(min=LEAST_SCALE)
        return (nearest_power_of_two(scale) if self.power_of_two else scale), zero

    def chosen(self, x: torch.Tensor) -> torch.Tensor:
        """Return signs times the scale."""
        scale, _ = self.grid(x)
        return straight_through(x, torch.where(x.detach() < 0, -scale, scale))
