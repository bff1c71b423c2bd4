# SPDX-License-Identifier: Apache-2.0
"""The networks of `train/zoo` scaled down to a few channels and pixels, as float graphs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from intaglio.ir.graph import Graph
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.ops.upsample import Upsample
from tests.quantize.networks import Layer, network, normal

#: On all sides, so that a window of 3 x 3 keeps the image's size.
AROUND = (1, 1, 1, 1)
HALF = ((2, 2), (2, 2))
#: Of each layer's weights: frames that differ then give results that differ, even at 2 bits.
GAIN = 2.0


@dataclass
class Sketch:
    """A network while it is drawn: a layer grows on the value it is given, and returns its name."""

    size: int
    layers: list[Layer] = field(default_factory=list)

    def put(self, op: Operator, *inputs: str) -> str:
        name = f"{op.name}{len(self.layers)}"
        self.layers.append((name, op, *inputs))
        return name

    def weighted(self, op: Operator, x: str, *shape: int) -> str:
        seed, name = len(self.layers), f"{op.name}{len(self.layers)}"
        weight = normal(seed, *shape) * GAIN / math.sqrt(math.prod(shape[1:]))
        self.layers.append((name, op, x, weight, normal(seed, shape[0]) / 10))
        return name

    def conv(self, x: str, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> str:
        op = Conv2d((stride, stride), AROUND if kernel == 3 else (0, 0, 0, 0))
        return self.weighted(op, x, outputs, kernel, kernel, inputs)

    def rectified(self, x: str, inputs: int, outputs: int, kernel: int = 3) -> str:
        return self.put(Relu(), self.conv(x, inputs, outputs, kernel))

    def scores(self, x: str, features: int) -> str:
        return self.weighted(Matmul(), self.put(Flatten(), x), 5, features)

    def graph(self) -> Graph:
        return network((self.size, self.size, 3), *self.layers)


def cnv() -> Graph:
    """No layer is padded: 14 x 14 shrink to one pixel."""
    net, x, channels = Sketch(14), "x", 3
    for width, pooled in ((4, False), (4, True), (6, False), (8, False)):
        x = net.put(Relu(), net.weighted(Conv2d(), x, width, 3, 3, channels))
        x = net.put(MaxPool(*HALF), x) if pooled else x
        channels = width
    x = net.put(Relu(), net.weighted(Matmul(), net.put(Flatten(), x), 8, channels))
    net.weighted(Matmul(), x, 5, 8)
    return net.graph()


def resnet8() -> Graph:
    """Three blocks, of which the last two halve the image on both of their branches."""
    net = Sketch(8)
    x, channels = net.rectified("x", 3, 4), 4
    for width, stride in ((4, 1), (6, 2), (8, 2)):
        y = net.put(Relu(), net.conv(x, channels, width, stride=stride))
        y = net.conv(y, width, width)
        shortcut = net.conv(x, channels, width, 1, stride) if stride > 1 else x
        x, channels = net.put(Relu(), net.put(Add(), y, shortcut)), width
    net.scores(net.put(AveragePool(*HALF), x), channels)
    return net.graph()


def mobilenet() -> Graph:
    """Depthwise convolutions and 1 x 1 ones in turn, each cut off at 6."""
    net = Sketch(8)
    x, channels = net.put(Clip(0, 6), net.conv("x", 3, 4)), 4
    for width, stride in ((6, 2), (6, 1), (8, 2)):
        each = Conv2d((stride, stride), AROUND, groups=channels)
        x = net.put(Clip(0, 6), net.weighted(each, x, channels, 3, 3, 1))
        x, channels = net.put(Clip(0, 6), net.conv(x, channels, width, 1)), width
    net.scores(net.put(AveragePool(*HALF), x), channels)
    return net.graph()


def unet() -> Graph:
    """Down to a quarter of the size, and back up beside what was there."""
    net = Sketch(8)
    top = net.rectified("x", 3, 4)
    middle = net.rectified(net.put(MaxPool(*HALF), top), 4, 6)
    bottom = net.rectified(net.put(MaxPool(*HALF), middle), 6, 6)
    beside = net.put(Concat(2), net.put(Upsample((2, 2)), bottom), middle)
    up = net.rectified(beside, 12, 6)
    beside = net.put(Concat(2), net.put(Upsample((2, 2)), up), top)
    net.conv(net.rectified(beside, 10, 4), 4, 2, 1)
    return net.graph()


def nin() -> Graph:
    """Three blocks of a convolution and two of 1 x 1; the mean of the last are the scores."""
    net, x, channels = Sketch(8), "x", 3
    pools = (MaxPool(*HALF), AveragePool(*HALF), AveragePool(*HALF))
    for widths, pool in zip(((6, 8, 8), (6, 8, 8), (8, 8, 5)), pools, strict=True):
        for width, kernel in zip(widths, (3, 1, 1), strict=True):
            x, channels = net.rectified(x, channels, width, kernel), width
        x = net.put(pool, x)
    net.put(Flatten(), x)
    return net.graph()


SMALL_NETWORKS = {made.__name__: made for made in (cnv, resnet8, mobilenet, unet, nin)}
