# SPDX-License-Identifier: Apache-2.0
"""Weights of three values: 0 up to 0.7 of the mean magnitude, beyond it the mean of the others.

Source: Li, Liu, "Ternary Weight Networks", 2016 (arXiv 1605.04711), equations 5 and 6. The gradient
goes straight through.
"""

from __future__ import annotations

import torch

from intaglio.train.quantized.quantizer import (
    Quantizer,
    each_channel,
    nearest_power_of_two,
    straight_through,
)

#: The share of the mean magnitude up to which a weight is 0.
THRESHOLD = 0.7


class Ternary(Quantizer):
    """Codes -1, 0 and 1.

    Args:
        channels: threshold and scale for each output channel, not for the whole tensor.
        power_of_two: use the nearest power of two of the scale.
    """

    def __init__(self, *, channels: bool = False, power_of_two: bool = False) -> None:
        super().__init__(-1, 1)
        self.channels, self.power_of_two = channels, power_of_two

    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean magnitude of the weights that are not 0; 1 where all are."""
        rows = self._rows(x)
        kept = self._kept(rows)
        count = kept.sum(1)
        scale = (rows * kept).sum(1) / count.clamp(min=1)
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        if self.power_of_two:
            scale = nearest_power_of_two(scale)
        return scale.reshape(each_channel(x) if self.channels else (1,)), x.new_zeros(1)

    def chosen(self, x: torch.Tensor) -> torch.Tensor:
        """Return signs times the scale, or 0."""
        scale, _ = self.grid(x)
        kept = self._kept(self._rows(x)).reshape(x.shape)
        return straight_through(x, x.detach().sign() * kept * scale)

    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach().abs().reshape(len(x) if self.channels else 1, -1)

    @staticmethod
    def _kept(rows: torch.Tensor) -> torch.Tensor:
        return rows > THRESHOLD * rows.mean(1, keepdim=True)
