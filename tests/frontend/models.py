# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Model:
    """A chain of nodes under construction; `last` is the value the next node reads."""

    frame: tuple[int, ...]
    opset: int = 17
    batch: int | str = "N"
    seed: int = 0
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    last: str = "x"

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def draw(self, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        """Draw weights."""
        return self.random.uniform(low, high, shape).astype(np.float32)

    def constant(self, array: Any, name: str = "") -> str:
        """Add an initializer and return its name."""
        name = name or f"w{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def node(self, op: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        """Add a node; without inputs it reads the last value."""
        made = list(outputs) or [f"t{len(self.nodes)}"]
        self.nodes.append(
            helper.make_node(
                op, list(inputs) or [self.last], made, f"n{len(self.nodes)}", **attributes
            )
        )
        self.last = made[0]
        return self.last

    def proto(self, outputs: Sequence[str] = ()) -> onnx.ModelProto:
        """Finish the model."""
        ends = [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, None)
            for n in outputs or [self.last]
        ]
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [self.batch, *self.frame])],
            ends,
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        domains = sorted({node.domain for node in self.nodes} - {""})
        imports = [helper.make_opsetid("", self.opset)]
        imports += [helper.make_opsetid(domain, 1) for domain in domains]
        return helper.make_model(graph, opset_imports=imports)

    def save(self, folder: Path, name: str = "m.onnx", outputs: Sequence[str] = ()) -> Path:
        """Write the model and return its path."""
        path = folder / name
        path.write_bytes(self.proto(outputs).SerializeToString())
        return path


def lenet_like(opset: int = 17, seed: int = 0) -> Model:
    """Convolution, pooling, flatten, dense: the smallest network with all of them."""
    model = Model((1, 8, 8), opset, seed=seed)
    w, b = model.constant(model.draw(3, 1, 3, 3), "conv.weight"), model.constant(model.draw(3), "b")
    model.node("Conv", "x", w, b, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    model.node("Relu")
    model.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    model.node("Flatten")
    weight, bias = model.constant(model.draw(4, 48)), model.constant(model.draw(4))
    model.node("Gemm", model.last, weight, bias, transB=1)
    return model
