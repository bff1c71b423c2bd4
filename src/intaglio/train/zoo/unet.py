# SPDX-License-Identifier: Apache-2.0
"""A small U-Net: every pixel of a 32x32 image gets a score for each of two classes.

    conv 3->8 | max 2, conv 8->16 | max 2, conv 16->16
    twice the size, beside the 16: conv 32->16 | twice the size, beside the 8: conv 24->8 | 1x1 8->2

Convolutions are k3, padded, with batch normalization and ReLU; sizes double by nearest pixel.

Source: Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015, figure 1, scaled down, with padding and a
nearest-pixel resize for its transposed convolutions.
"""

from __future__ import annotations

import torch
from torch import nn

from intaglio.train.zoo.weights import draw_weights


class UNet(nn.Module):
    """The network, with 10,154 parameters drawn from `seed` alone.

    Shapes: images [N, 3, 32, 32]; result [N, 2, 32, 32], two scores a pixel.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.twice = nn.Upsample(scale_factor=2, mode="nearest")
        self.top = _convolution(3, 8)
        self.middle = _convolution(8, 16)
        self.bottom = _convolution(16, 16)
        self.up_middle = _convolution(32, 16)
        self.up_top = _convolution(24, 8)
        self.output = nn.Conv2d(8, 2, 1)
        draw_weights(self, seed)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Go down to a quarter of the size and back up."""
        top = self.top(x)
        middle = self.middle(self.pool(top))
        bottom = self.bottom(self.pool(middle))
        up = self.up_middle(torch.cat([self.twice(bottom), middle], dim=1))
        return self.output(self.up_top(torch.cat([self.twice(up), top], dim=1)))


def _convolution(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    )
