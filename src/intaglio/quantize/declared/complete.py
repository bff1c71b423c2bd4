# SPDX-License-Identifier: Apache-2.0
"""Quantizers for what a network leaves as floats: its input, first or last layers, means.

A network is often quantised in part. What it declares stays as it is; weights that are multiples of
no step, and values that a layer reads without a quantizer before it, get what a scheme says, with
ranges from calibration data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.types import FLOAT32
from intaglio.numerics.rounding import Rounding, round_half_up, saturate
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.upsample_bilinear import UpsampleBilinear
from intaglio.quantize import quantizers
from intaglio.quantize.calibrate import calibrate
from intaglio.quantize.declared.grid import grid_of
from intaglio.quantize.declared.steps import steps_of
from intaglio.quantize.ranges import Range
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.weights import weight_scales

_LAYERS = (Conv2d, ConvTranspose2d, Matmul)
#: What computes with integers, so that its operands must be such.
_READERS = (*_LAYERS, Add, AveragePool, Mul, UpsampleBilinear)


def completed(graph: Graph, calibration: np.ndarray, scheme: Scheme) -> Graph:
    """Return the network with a quantizer wherever one is missing.

    Shapes: calibration [N, *frame] in the source model's axis order.

    Raises:
        QuantizationError: the data is empty or not finite.
    """
    ranges = calibrate(graph, calibration)
    made: dict[str, str] = {}
    nodes: list[Node] = []
    constants = dict(graph.constants)
    for node in graph.nodes:
        inputs = list(node.inputs)
        if isinstance(node.op, _READERS):
            for index, name in enumerate(node.inputs):
                if name not in graph.constants and not _declared(graph, name):
                    inputs[index] = made.get(name) or _quantizer(name, ranges, scheme, nodes)
                    made[name] = inputs[index]
        if isinstance(node.op, _LAYERS):
            weight = constants[node.inputs[1]].data
            if grid_of(weight) is None:
                constants[node.inputs[1]] = Constant(_stepped(weight, scheme), FLOAT32)
        nodes.append(replace(node, inputs=tuple(inputs)))
    return rebuild(graph, nodes, constants)


def _declared(graph: Graph, name: str) -> bool:
    """Tell whether a value is codes, moved perhaps, or one scale and offset of such."""
    node = graph.producers.get(name)
    while node is not None:
        if steps_of(node, graph.constants) is not None:
            return True
        if isinstance(node.op, BatchNorm):
            numbers = [graph.constants[n].data for n in node.inputs[1:]]
            if any(np.any(array != array[0]) for array in numbers):
                return False
        elif not (node.op.rearranges or isinstance(node.op, MaxPool)):
            return False
        node = graph.producers.get(node.inputs[0])
    return False


def _quantizer(name: str, ranges: Mapping[str, Range], scheme: Scheme, nodes: list[Node]) -> str:
    """Append a quantizer of a value and return its name."""
    coding = quantizers()[scheme.scale_rule].activation(ranges[name], scheme.activation_type)
    element = coding.element
    op = FakeQuantize(
        (coding.scale,), coding.zero_point, element.min, element.max, Rounding.HALF_UP
    )
    nodes.append(Node(f"{name}.quantized", op, (name,)))
    return f"{name}.quantized"


def _stepped(weight: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Return the weights as multiples of the steps that a scheme gives them."""
    element: IntType = scheme.weight_type
    scales = weight_scales(
        weight,
        element,
        quantizers()[scheme.scale_rule],
        per_channel=scheme.granularity == "per_channel",
        spare=1.0,
    ).astype(np.float32)
    columns = scales.reshape(-1, *[1] * (weight.ndim - 1))
    codes = saturate(round_half_up(weight / columns), element)
    return codes.astype(np.float32) * columns
