# SPDX-License-Identifier: Apache-2.0
"""Quantizers for what a network leaves as floats: its input, first or last layers, means.

A network is often quantised in part. What it declares stays as it is; weights that are multiples of
no step, and values that a layer reads without a quantizer before it, get what a scheme says, with
ranges from calibration data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.types import FLOAT32
from intaglio.numerics.rounding import Rounding
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
from intaglio.quantize import estimators, quantizers
from intaglio.quantize.calibrate import calibrate
from intaglio.quantize.declared.grid import grid_of
from intaglio.quantize.declared.steps import steps_of
from intaglio.quantize.ranges import Choose, Coding
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.weights import weight_grid

_LAYERS = (Conv2d, ConvTranspose2d, Matmul)
#: What computes with integers, so that its operands must be such.
_READERS = (*_LAYERS, Add, AveragePool, Mul, UpsampleBilinear)


def completed(graph: Graph, calibration: np.ndarray, scheme: Scheme) -> Graph:
    """Return the network with a quantizer wherever one is missing.

    Shapes: calibration [N, *frame] in the source model's axis order.

    Raises:
        QuantizationError: the data is empty or not finite.
    """
    wanted = dict.fromkeys(name for node in graph.nodes for name in _floats(graph, node))
    schemes = {name: scheme.at(name) for name in wanted}
    observers = {name: estimators()[own.estimator](_coding(own)) for name, own in schemes.items()}
    ranges = calibrate(graph, calibration, observers)
    made: dict[str, Node] = {}
    nodes: list[Node] = []
    constants = dict(graph.constants)
    for node in graph.nodes:
        for name in _floats(graph, node):
            if name not in made:
                made[name] = _quantizer(name, _coding(schemes[name])(ranges[name]))
                nodes.append(made[name])
        if isinstance(node.op, _LAYERS):
            weight = constants[node.inputs[1]].data
            if grid_of(weight) is None:
                own = scheme.at(node.name)
                constants[node.inputs[1]] = Constant(_stepped(graph, node, weight, own), FLOAT32)
        inputs = _floats(graph, node)
        nodes.append(
            replace(node, inputs=tuple(made[n].name if n in inputs else n for n in node.inputs))
        )
    return rebuild(graph, nodes, constants)


def _floats(graph: Graph, node: Node) -> list[str]:
    """Name the operands of a node that must be integers, and have no quantizer."""
    if not isinstance(node.op, _READERS):
        return []
    return [n for n in node.inputs if n not in graph.constants and not _declared(graph, n)]


def _coding(scheme: Scheme) -> Choose:
    """Return how a scheme codes a range."""
    quantizer, element = quantizers()[scheme.scale_rule], scheme.activation_type
    return lambda range_: quantizer.activation(range_, element)


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


def _quantizer(name: str, coding: Coding) -> Node:
    """Return the node that gives a value the codes of a coding."""
    ends = coding.element.min, coding.element.max
    op = FakeQuantize((coding.scale,), coding.zero_point, *ends, Rounding.HALF_UP)
    return Node(f"{name}.quantized", op, (name,))


def _stepped(graph: Graph, node: Node, weight: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Return the weights as multiples of the steps that a scheme gives them."""
    depthwise = isinstance(node.op, Conv2d) and 1 < node.op.groups == (
        graph.types[node.inputs[0]].channels
    )
    grid = weight_grid(weight, scheme, 1.0, depthwise=depthwise)
    scales = grid.scales.astype(np.float32).reshape(-1, *[1] * (weight.ndim - 1))
    return grid.nearest(grid.steps(weight)).astype(np.float32) * scales
