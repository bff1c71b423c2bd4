# SPDX-License-Identifier: Apache-2.0
"""ResNet-8 for CIFAR-10: the image classifier of MLPerf Tiny.

    conv 3->16 k3 | three residual blocks of two convolutions k3: 16, 32 (stride 2), 64 (stride 2)
    average over the image | dense 64->10

A block that halves the image has a 1x1 convolution of stride 2 on its other branch. Batch
normalization stands behind each convolution of a main branch, ReLU there and behind each sum.

Source: Banbury et al., "MLPerf Tiny Benchmark", NeurIPS 2021 Datasets and Benchmarks, section 3.2.
"""

from __future__ import annotations

import torch
from torch import nn

from intaglio.train.zoo.weights import draw_weights


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Conv2d(channels, width, 1, stride) if stride > 1 else nn.Identity()
        self.relu2 = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the branches."""
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet8(nn.Sequential):
    """The network, with 78,186 parameters drawn from `seed` alone.

    Shapes: images [N, 3, 32, 32]; result [N, 10], one score a class.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(
            nn.Conv2d(3, 16, 3, 1, 1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            Block(16, 16, 1),
            Block(16, 32, 2),
            Block(32, 64, 2),
            nn.AvgPool2d(8),
            nn.Flatten(),
            nn.Linear(64, 10),
        )
        draw_weights(self, seed)
