# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 on 28x28 images, as everyone draws it: ReLU after all layers with weights but one.

    C1 conv 1->6 k5 p2, ReLU | S2 average 2x2 | C3 conv 6->16 k5, ReLU | S4 average 2x2
    C5 conv 16->120 k5, ReLU | F6 dense 120->84, ReLU | OUTPUT dense 84->10

Published quantized copies differ: some leave out the ReLU after C5 and F6, which makes the last
three layers one linear map. Ours is the one network with all four.

Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
Proc. IEEE 86(11), 1998, section II.B; ReLU for its scaled tanh, plain averages for its trained
pooling, every C3 map connected to every S2 map, dense for its radial basis outputs.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from intaglio.train.zoo.weights import draw_weights


class LeNet5(nn.Sequential):
    """The network, with 61,706 parameters drawn from `seed` alone.

    Shapes: images [N, 1, 28, 28] in [0, 1]; result [N, 10], one score a class.
    """

    def __init__(self, seed: int = 0) -> None:
        layers: dict[str, nn.Module] = {
            "c1": nn.Conv2d(1, 6, 5, padding=2),
            "c1_relu": nn.ReLU(),
            "s2": nn.AvgPool2d(2),
            "c3": nn.Conv2d(6, 16, 5),
            "c3_relu": nn.ReLU(),
            "s4": nn.AvgPool2d(2),
            "c5": nn.Conv2d(16, 120, 5),
            "c5_relu": nn.ReLU(),
            "flatten": nn.Flatten(),
            "f6": nn.Linear(120, 84),
            "f6_relu": nn.ReLU(),
            "output": nn.Linear(84, 10),
        }
        super().__init__(OrderedDict(layers))
        draw_weights(self, seed)
