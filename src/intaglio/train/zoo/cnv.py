# SPDX-License-Identifier: Apache-2.0
"""CNV: the small VGG-like network that accelerators of few bits are compared by.

    conv 3->64, 64->64 k3, ReLU, max 2 | conv 64->128, 128->128 k3, ReLU, max 2
    conv 128->256, 256->256 k3, ReLU | dense 256->512, 512->512, ReLU | dense 512->10

No layer is padded: 32x32 images shrink to 1x1. Each hidden layer has batch normalization and no
bias of its own.

Source: Umuroglu et al., "FINN: A Framework for Fast, Scalable Binarized Neural Network Inference",
FPGA 2017, section 6.1, with ReLU for its sign.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from intaglio.train.zoo.weights import draw_weights


class Cnv(nn.Sequential):
    """The network, with 1,546,698 parameters drawn from `seed` alone.

    Shapes: images [N, 3, 32, 32]; result [N, 10], one score a class.
    """

    def __init__(self, seed: int = 0) -> None:
        layers: dict[str, nn.Module] = {}
        channels = 3
        for index, (width, pooled) in enumerate(_CONVOLUTIONS, start=1):
            layers[f"conv{index}"] = nn.Conv2d(channels, width, 3, bias=False)
            layers[f"norm{index}"] = nn.BatchNorm2d(width)
            layers[f"relu{index}"] = nn.ReLU()
            if pooled:
                layers[f"pool{index}"] = nn.MaxPool2d(2)
            channels = width
        layers["flatten"] = nn.Flatten()
        for index, width in enumerate((512, 512), start=1):
            layers[f"dense{index}"] = nn.Linear(channels, width, bias=False)
            layers[f"dense_norm{index}"] = nn.BatchNorm1d(width)
            layers[f"dense_relu{index}"] = nn.ReLU()
            channels = width
        layers["output"] = nn.Linear(channels, 10)
        super().__init__(OrderedDict(layers))
        draw_weights(self, seed)


#: Channels of each convolution, and whether a pool follows.
_CONVOLUTIONS = ((64, False), (64, True), (128, False), (128, True), (256, False), (256, False))
