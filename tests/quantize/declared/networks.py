# SPDX-License-Identifier: Apache-2.0
"""Random networks with quantizers of their own, and their real arithmetic."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.ops.add import Add
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.multi_threshold import MultiThreshold
from intaglio.ops.relu import Relu
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import UpsampleBilinear

LINEAR = (Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.FLOOR, Rounding.CEIL)


class Network:
    """A graph while it grows; `x` is its last value."""

    def __init__(self, seed: int, shape: tuple[int, ...], *, dyadic: bool) -> None:
        self.random = np.random.default_rng(seed)
        self.dyadic = dyadic
        self.input = Value("image", TensorType(shape, FLOAT32))
        self.types = {"image": self.input.type}
        self.nodes: list[Node] = []
        self.constants: dict[str, Constant] = {}
        self.x = "image"

    def real(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Draw numbers; dyadic ones are sixteenths, so that nothing is rounded anywhere."""
        found = self.random.uniform(low, high, shape)
        return np.rint(found * 16) / 16 if self.dyadic else found

    def scale(self) -> float:
        """Draw a scale."""
        power = 2.0 ** int(self.random.integers(-5, 0))
        return power if self.dyadic else float(np.float32(power * self.random.uniform(1, 2)))

    def put(self, op: Operator, *inputs: str, **arrays: np.ndarray) -> str:
        """Append a node on the last value, or on what is named."""
        name = f"n{len(self.nodes)}"
        for key, array in arrays.items():
            self.constants[f"{name}.{key}"] = Constant(array, FLOAT32)
        operands = (*(inputs or (self.x,)), *(f"{name}.{key}" for key in arrays))
        types = [self.types.get(n) or self.constants[n].type for n in operands]
        self.types[name] = op.infer(*types)
        self.nodes.append(Node(name, op, operands))
        self.x = name
        return name

    def quantize(self, *, signed: bool = False, bits: int = 4) -> str:
        """Append one of the quantizers there are."""
        kind = self.random.integers(8)
        if kind == 0 and signed:
            return self.put(Function("sign"))
        if kind == 1 and signed:
            return self.put(MultiThreshold(2.0, -1.0), thresholds=np.zeros((1, 1)))
        low = -(1 << bits - 1) if signed else 0
        zero = int(self.random.integers(-3, 4)) if kind == 2 else 0
        linear = signed or zero != 0  # those that turn around at zero have a wider step there
        rounding = Rounding(self.random.choice([r.value for r in (LINEAR if linear else Rounding)]))
        ends = low + zero, low + zero + (1 << bits) - 1
        return self.put(FakeQuantize((self.scale(),), zero, *ends, rounding, bool(kind % 2)))

    def weights(self, *shape: int) -> np.ndarray:
        """Draw weights of few bits, with one scale or one a channel."""
        codes = self.random.integers(-3, 4, shape)
        count = shape[0] if self.random.integers(2) else 1
        scales = [self.scale() for _ in range(count)]
        return codes * np.array(scales).reshape(-1, *[1] * (len(shape) - 1))

    def layer(self) -> str:
        """Append a convolution, plain or grouped, padded or not, or a transposed one."""
        channels = self.types[self.x].channels
        groups = int(self.random.choice([1, channels]))
        outputs = groups * int(self.random.integers(1, 4))
        pads = tuple(int(n) for n in self.random.integers(0, 2, 4))
        weight, bias = self.weights(outputs, 2, 2, channels // groups), self.real(-2, 2, outputs)
        op: Operator = Conv2d(padding=(pads[0], pads[1], pads[2], pads[3]), groups=groups)
        if self.random.integers(5) == 0:
            op = ConvTranspose2d((2, 2), (1, 1, 1, 1), (1, 1), (1, 1), groups)
        return self.put(op, weight=weight, bias=bias)

    def normalize(self) -> str:
        """Append a batch norm, some of its scales negative or zero."""
        channels = self.types[self.x].channels
        scale = self.real(-2, 3, channels)
        return self.put(BatchNorm(), scale=scale, offset=self.real(-2, 2, channels))

    def block(self) -> None:
        """Append a layer and what is between it and the next quantizer."""
        self.layer()
        signed = True
        if self.random.integers(2):
            self.put(MaxPool((2, 2), (1, 1)))
        if self.random.integers(2):
            self.normalize()
        for choice in self.random.permutation(4)[:2]:
            if choice == 1:
                self.put(Relu())
                signed = False
            elif choice == 2:
                self.put(MaxPool((2, 2), (1, 1)))
            elif choice == 3:
                self.put(Clip(-1.5, 2.25))
        self.quantize(signed=signed or bool(self.random.integers(2)))

    def between(self) -> None:
        """Append what is done with codes."""
        choice, name = self.random.integers(7), self.x
        if choice == 0:
            self.put(MaxPool((2, 2), (2, 2), (0, 0, 1, 1)))
        elif choice == 1:
            self.put(AveragePool((2, 2), (1, 1)))
            self.quantize(signed=True)
        elif choice == 2:
            self.put(Upsample((2, 1)))
        elif choice == 3:
            self.put(UpsampleBilinear())
            self.quantize(signed=True)
        elif choice == 4:
            self.put(Concat(2), name, name)
        elif choice == 5:
            self.put(Mul(), name, name)
            self.quantize(signed=True)
        else:
            self.put(Add(), name, name)
            self.quantize(signed=True)

    def finish(self) -> Graph:
        """Append a dense layer and return the graph."""
        self.put(Flatten())
        size = self.types[self.x].channels
        self.put(Matmul(), weight=self.weights(5, size), bias=np.zeros(5))
        return Graph("net", (self.input,), tuple(self.nodes), (self.x,), self.constants)


def network(seed: int, *, dyadic: bool) -> Graph:
    """Draw a network of a few layers."""
    net = Network(seed, (12, 11, 2), dyadic=dyadic)
    net.put(FakeQuantize((1 / 16,), 0, 0, 15))
    for _ in range(int(net.random.integers(1, 4))):
        net.block()
        if net.random.integers(2):
            net.between()
    return net.finish()


#: Weights in a graph are scale * code as float32 rounds it, so sums are off by about this part.
ROUNDED = 1e-6


def reals(
    graph: Graph, frames: np.ndarray, known: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Evaluate a graph in float64.

    A quantizer takes the value that is known of it, where the rounding of weights can have led to
    that one too, and so puts its operand on the other side of a threshold.
    """
    values = {graph.inputs[0].name: frames.astype(np.float64)}
    for node in graph.nodes:
        arrays = [
            graph.constants[n].data.astype(np.float64) if n in graph.constants else values[n]
            for n in node.inputs
        ]
        result = node.op.evaluate(*arrays)
        if node.op.jumps and known is not None and node.name in known:
            reach = ROUNDED * np.abs(arrays[0]).max()
            ends = [node.op.evaluate(arrays[0] + d, *arrays[1:]) for d in (-reach, reach)]
            result = np.clip(known[node.name], *ends)
        values[node.name] = result
    return values
