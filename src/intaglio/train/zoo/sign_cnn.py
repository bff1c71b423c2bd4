# SPDX-License-Identifier: Apache-2.0
"""The small network for sign-language MNIST that a known tutorial quantizes.

    conv 1->28 k3, ReLU, norm, max 2 | conv 28->64 k3, ReLU, norm, max 2, dropout
    dense 3136->512, ReLU, dropout | dense 512->classes

Here batch normalization follows ReLU, which cannot be folded into the convolution before it. Both
convolutions are padded.

Source: AMD Xilinx, Vitis-AI tutorial "Sign Language MNIST" (Beetlebox), network in Keras; 24
classes for its 25, one of which is no letter.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from intaglio.train.zoo.weights import draw_weights

CLASSES = 24
DROPPED = 0.4


class SignCnn(nn.Sequential):
    """The network, with 1,635,112 parameters for 24 classes, drawn from `seed` alone.

    Shapes: images [N, 1, 28, 28]; result [N, classes], one score a class.
    """

    def __init__(self, classes: int = CLASSES, seed: int = 0) -> None:
        layers: dict[str, nn.Module] = {
            "conv1": nn.Conv2d(1, 28, 3, padding=1),
            "relu1": nn.ReLU(),
            "norm1": nn.BatchNorm2d(28),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(28, 64, 3, padding=1),
            "relu2": nn.ReLU(),
            "norm2": nn.BatchNorm2d(64),
            "pool2": nn.MaxPool2d(2),
            "drop2": nn.Dropout(DROPPED),
            "flatten": nn.Flatten(),
            "dense3": nn.Linear(64 * 7 * 7, 512),
            "relu3": nn.ReLU(),
            "drop3": nn.Dropout(DROPPED),
            "output": nn.Linear(512, classes),
        }
        super().__init__(OrderedDict(layers))
        draw_weights(self, seed)
