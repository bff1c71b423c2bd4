# SPDX-License-Identifier: Apache-2.0
"""Network in network for CIFAR: three blocks of a convolution and two of 1x1.

    3->96 k3, 96->160, 160->192, max 2 | 192->96 k3, 96->192, 192->192, average 2
    192->384 k3, 384->192, 192->classes, average over the image

Batch normalization and ReLU stand behind each convolution; none has a bias.

Source: Lin, Chen, Yan, "Network In Network", ICLR 2014, section 4.2, in the widths that CLIP-Q's
reimplementations use (1,009,056 weights for ten classes).
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from intaglio.train.zoo.weights import draw_weights


class Nin(nn.Sequential):
    """The network, with 1,009,056 weights for 10 classes, 1,026,336 for 100.

    Shapes: images [N, 3, 32, 32]; result [N, classes], one score a class.
    """

    def __init__(self, classes: int = 10, seed: int = 0) -> None:
        layers: dict[str, nn.Module] = {}
        channels = 3
        widths = [*_CONVOLUTIONS[:-1], (classes, 1)]
        for index, (width, kernel) in enumerate(widths, start=1):
            layers[f"conv{index}"] = nn.Conv2d(
                channels, width, kernel, padding=kernel // 2, bias=False
            )
            layers[f"norm{index}"] = nn.BatchNorm2d(width)
            layers[f"relu{index}"] = nn.ReLU()
            if index in _POOLS:
                layers[f"pool{index}"] = _POOLS[index](2)
            channels = width
        layers["mean"] = nn.AvgPool2d(8)
        layers["flatten"] = nn.Flatten()
        super().__init__(OrderedDict(layers))
        draw_weights(self, seed)

    def weights(self) -> int:
        """Count the weights of the convolutions."""
        return sum(layer.weight.numel() for layer in self if isinstance(layer, nn.Conv2d))


#: Channels and kernel of each convolution; the last gives the classes.
_CONVOLUTIONS = (
    (96, 3),
    (160, 1),
    (192, 1),
    (96, 3),
    (192, 1),
    (192, 1),
    (384, 3),
    (192, 1),
    (0, 1),
)
_POOLS = {3: nn.MaxPool2d, 6: nn.AvgPool2d}
