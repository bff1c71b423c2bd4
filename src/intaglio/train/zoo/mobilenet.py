# SPDX-License-Identifier: Apache-2.0
"""A small MobileNet for 32x32 images: depthwise convolutions and 1x1 ones in turn.

    conv 3->16 k3 | depthwise k3, 1x1: 16->32 (stride 2), 32->32, 32->64 (stride 2), 64->64
    average over the image | dense 64->10

Batch normalization and ReLU6 stand behind each convolution; none has a bias.

Source: Howard et al., "MobileNets", arXiv 1704.04861, section 3, table 1, scaled down; ReLU6 is
that of the authors' own code.
"""

from __future__ import annotations

from torch import nn

from intaglio.train.zoo.weights import draw_weights


class MobileNet(nn.Sequential):
    """The network, with 10,762 parameters drawn from `seed` alone.

    Shapes: images [N, 3, 32, 32]; result [N, 10], one score a class.
    """

    def __init__(self, seed: int = 0) -> None:
        layers = _normalized(nn.Conv2d(3, 16, 3, padding=1, bias=False), 16)
        channels = 16
        for width, stride in _BLOCKS:
            depthwise = nn.Conv2d(
                channels, channels, 3, stride, padding=1, groups=channels, bias=False
            )
            layers += _normalized(depthwise, channels)
            layers += _normalized(nn.Conv2d(channels, width, 1, bias=False), width)
            channels = width
        super().__init__(*layers, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(channels, 10))
        draw_weights(self, seed)


#: Channels given by each block, and the stride of its depthwise convolution.
_BLOCKS = ((32, 2), (32, 1), (64, 2), (64, 1))


def _normalized(convolution: nn.Conv2d, channels: int) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU6()]
