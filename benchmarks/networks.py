# SPDX-License-Identifier: Apache-2.0
"""The networks that benchmarks run: float ONNX files with random weights, from a seed.

Speed does not depend on what a network has learned, so none of these has learned anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: What the oldest of the peers reads.
OPSET, IR = 13, 8


@dataclass
class Sketch:
    """A network while it is drawn; `tip` is the value the next layer takes."""

    frame: tuple[int, int, int]
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    tip: str = "x"

    def put(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Append a node on the tip, and the further inputs."""
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.tip, *inputs], [name], name, **attributes))
        self.tip = name
        return name

    def weight(self, *shape: int) -> str:
        """Make a weight as He et al. initialize it, or a small bias."""
        fan = math.prod(shape[1:])
        values = self.random.standard_normal(shape) * (math.sqrt(2 / fan) if fan > 1 else 0.05)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def conv(
        self, inputs: int, outputs: int, size: int, pad: int = 0, stride: int = 1, relu: bool = True
    ) -> str:
        """Append a square convolution, and its rectifier."""
        weight, bias = self.weight(outputs, inputs, size, size), self.weight(outputs)
        window = {"kernel_shape": [size] * 2, "pads": [pad] * 4, "strides": [stride] * 2}
        self.put("Conv", weight, bias, **window, dilations=[1, 1], group=1)
        return self.put("Relu") if relu else self.tip

    def dense(self, inputs: int, outputs: int, relu: bool = True) -> str:
        """Append a dense layer, and its rectifier."""
        self.put("Gemm", self.weight(outputs, inputs), self.weight(outputs), transB=1)
        return self.put("Relu") if relu else self.tip

    def pool(self, op: str, size: int, stride: int) -> str:
        """Append a pooling."""
        return self.put(op, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[0] * 4)

    def model(self, name: str, batch: int | None = None) -> onnx.ModelProto:
        """Return what was drawn, with an open batch axis or a fixed one."""
        size: int | str = batch or "N"
        ends = [
            helper.make_tensor_value_info(value, TensorProto.FLOAT, [size, *shape])
            for value, shape in (("x", self.frame), (self.tip, (10,)))
        ]
        graph = helper.make_graph(self.nodes, name, ends[:1], ends[1:], self.weights)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
        )


def lenet5() -> Sketch:
    """LeNet-5 as `train/zoo/lenet5.py` has it: 61,706 parameters, 416,520 products."""
    net = Sketch((1, 28, 28))
    net.conv(1, 6, 5, pad=2)
    net.pool("AveragePool", 2, 2)
    net.conv(6, 16, 5)
    net.pool("AveragePool", 2, 2)
    net.conv(16, 120, 5)
    net.put("Flatten")
    net.dense(120, 84)
    net.dense(84, 10, relu=False)
    return net


def resnet8() -> Sketch:
    """ResNet-8 of MLPerf Tiny, batch normalization folded: three stacks of one block.

    Source: Banbury et al., "MLPerf Tiny Benchmark", NeurIPS 2021, image classification.
    """
    net = Sketch((3, 32, 32))
    net.conv(3, 16, 3, pad=1)
    inputs = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        start = net.tip
        net.conv(inputs, outputs, 3, pad=1, stride=stride)
        branch = net.conv(outputs, outputs, 3, pad=1, relu=False)
        net.tip = start
        if stride > 1:
            net.conv(inputs, outputs, 1, stride=stride, relu=False)
        net.put("Add", branch)
        net.put("Relu")
        inputs = outputs
    net.pool("AveragePool", 8, 8)
    net.put("Flatten")
    net.dense(64, 10, relu=False)
    return net


def nin() -> Sketch:
    """Network in network for images of 32 x 32, its second pooling by maximum too.

    Source: Lin, Chen, Yan, "Network In Network", ICLR 2014; the authors' layers for CIFAR-10.
    """
    net = Sketch((3, 32, 32))
    net.conv(3, 192, 5, pad=2)
    net.conv(192, 160, 1)
    net.conv(160, 96, 1)
    net.pool("MaxPool", 2, 2)
    net.conv(96, 192, 5, pad=2)
    net.conv(192, 192, 1)
    net.conv(192, 192, 1)
    net.pool("MaxPool", 2, 2)
    net.conv(192, 192, 3, pad=1)
    net.conv(192, 192, 1)
    net.conv(192, 10, 1)
    net.pool("AveragePool", 8, 8)
    net.put("Flatten")
    return net


def vgg13() -> Sketch:
    """VGG with 13 layers, an eighth as wide, for images of 32 x 32: 10 convolutions, 3 dense.

    Source: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015, table 1, configuration B.
    """
    net = Sketch((3, 32, 32))
    inputs = 3
    for outputs in (8, 16, 32, 64, 64):
        net.conv(inputs, outputs, 3, pad=1)
        net.conv(outputs, outputs, 3, pad=1)
        net.pool("MaxPool", 2, 2)
        inputs = outputs
    net.put("Flatten")
    net.dense(64, 64)
    net.dense(64, 64)
    net.dense(64, 10, relu=False)
    return net


NETWORKS = {"lenet5": lenet5, "resnet8": resnet8, "nin": nin, "vgg13": vgg13}


def write(name: str, folder: Path, batch: int | None = None) -> Path:
    """Write a network into a folder and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    model = NETWORKS[name]().model(name, batch)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def images(name: str, count: int) -> np.ndarray:
    """Return random images for a network: float32 in [0, 1], [N, C, H, W]."""
    random = np.random.default_rng(1)
    return random.random((count, *NETWORKS[name]().frame), dtype=np.float32)
