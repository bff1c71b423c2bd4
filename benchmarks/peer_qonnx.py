# SPDX-License-Identifier: Apache-2.0
"""QONNX's executor on a float model that gets 8-bit Quant nodes on weights and activations.

peer_qonnx.py MODEL IMAGES.npy

It is timed on that, and also executes any other file as it is.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model
from serve import seconds, serve

DOMAIN = "qonnx.custom_op.general"


def main() -> None:
    """Build the models for one frame and for many, then answer."""
    model, images = onnx.load(sys.argv[1]), np.load(sys.argv[2])
    prepared: dict[int, Any] = {}

    def run(batch: int, times: int) -> float:
        if batch not in prepared:
            prepared[batch] = _prepared(model, batch)
        feed = {prepared[batch].graph.input[0].name: images[:batch]}
        return seconds(lambda: execute_onnx(prepared[batch], feed), times)

    serve({"run": run, "execute": execute}, ("qonnx", "onnx", "onnxruntime"))


def execute(model: str, frames: str, results: str) -> None:
    """Execute a QONNX file on frames, and write its first result beside them."""
    proto, data = onnx.load(model), np.load(frames)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = len(data)
    wrapper = ModelWrapper(proto).transform(InferShapes())
    found = execute_onnx(wrapper, {proto.graph.input[0].name: data})
    np.save(results, found[proto.graph.output[0].name])


def _prepared(source: onnx.ModelProto, batch: int) -> Any:
    """Return the model for a batch of fixed size, with Quant nodes, cleaned as QONNX wants it."""
    model = onnx.ModelProto()
    model.CopyFrom(source)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    _quant(model, "x", "x_quant", signed=0)
    for node in nodes:
        for index, name in enumerate(node.input):
            if index == 1 and name in weights:
                largest = float(np.abs(numpy_helper.to_array(weights[name])).max())
                _quant(model, name, f"{name}_quant", signed=1, scale=largest / 127)
                node.input[index] = f"{name}_quant"
            elif name == "x":
                node.input[index] = "x_quant"
        if node.op_type in ("Relu", "AveragePool"):
            result, node.output[0] = node.output[0], f"{node.output[0]}_float"
            model.graph.node.append(node)
            _quant(model, node.output[0], result, signed=0)
        else:
            model.graph.node.append(node)
    return cleanup_model(ModelWrapper(model).transform(InferShapes()))


def _quant(model: onnx.ModelProto, x: str, y: str, signed: int, scale: float = 1 / 64) -> None:
    for name, value in (("scale", scale), ("zero", 0.0), ("bits", 8.0)):
        array = np.array(value, dtype=np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, f"{y}_{name}"))
    model.graph.node.append(
        helper.make_node(
            "Quant",
            [x, *(f"{y}_{name}" for name in ("scale", "zero", "bits"))],
            [y],
            domain=DOMAIN,
            signed=signed,
            narrow=0,
            rounding_mode="ROUND",
        )
    )


if __name__ == "__main__":
    main()
