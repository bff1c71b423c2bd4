# SPDX-License-Identifier: Apache-2.0
"""Put a per-channel scale and offset into the layer before it, or else the one behind it.

    (x * w + b) * scale + offset = x * (w * scale) + (b * scale + offset)
    (x * scale + offset) * w + b = x * (scale * w) + (sum of offset * w  +  b)

Computed in float64 and rounded once. Folded into what is before it, the value that remains is the
one after the scale, so the layer takes the name of the batch_norm node; another batch_norm counts
as a layer here. What is left is moved behind pools, toward the next layer. A convolution that pads
takes no offset from before it: it pads with zero after it.
"""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, exhaust
from intaglio.ir.types import FLOAT32
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.matmul import Matmul
from intaglio.passes.batchnorm_last import batchnorm_last
from intaglio.passes.dead_code import dead_code


def fold_batchnorm(graph: Graph) -> Graph:
    """Fold every batch_norm next to a convolution or dense layer, where nothing else reads between.

    Raises:
        ModelError: a folded weight leaves float32.
    """
    return dead_code(exhaust(batchnorm_last(exhaust(graph, _fold_back)), _fold_ahead))


def _fold_back(graph: Graph, node: Node) -> Replacement | None:
    if not isinstance(node.op, BatchNorm):
        return None
    layer = graph.producers.get(node.inputs[0])
    layers = Conv2d | ConvTranspose2d | Matmul | BatchNorm
    if layer is None or not isinstance(layer.op, layers):
        return None
    if layer.name in graph.outputs or graph.consumers[layer.name] != (node,):
        return None
    x, weight, bias = layer.inputs
    scale, offset = (graph.constants[name].data.astype(np.float64) for name in node.inputs[1:])
    kernel = graph.constants[weight].data
    scaled = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
    shifted = graph.constants[bias].data * scale + offset
    constants = _constants(node, layer, node.name, scaled, shifted)
    folded = Node(node.name, layer.op, (x, *constants), node.origin)
    return Replacement((folded,), constants)


def _fold_ahead(graph: Graph, layer: Node) -> Replacement | None:
    op = layer.op
    if not isinstance(op, Conv2d | Matmul):
        return None
    node = graph.producers.get(layer.inputs[0])
    if node is None or not isinstance(node.op, BatchNorm):
        return None
    if node.name in graph.outputs or graph.consumers[node.name] != (layer,):
        return None
    scale, offset = (graph.constants[name].data.astype(np.float64) for name in node.inputs[1:])
    if isinstance(op, Conv2d) and any(op.padding) and (offset.any() or op.pad_value):
        return None
    groups = op.groups if isinstance(op, Conv2d) else 1
    kernel, bias = (graph.constants[name].data.astype(np.float64) for name in layer.inputs[1:])
    shape = (groups, *[1] * (kernel.ndim - 2), -1)
    scale, offset = (
        np.repeat(a.reshape(shape), len(kernel) // groups, axis=0) for a in (scale, offset)
    )
    shifted = bias + (kernel * offset).reshape(len(kernel), -1).sum(axis=1)
    constants = _constants(node, layer, f"{layer.name}.{node.name}", kernel * scale, shifted)
    folded = Node(layer.name, op, (node.inputs[0], *constants), layer.origin)
    return Replacement((folded,), constants)


def _constants(
    node: Node, layer: Node, name: str, weight: np.ndarray, bias: np.ndarray
) -> dict[str, Constant]:
    try:
        return {
            f"{name}.weight": Constant(weight, FLOAT32),
            f"{name}.bias": Constant(bias, FLOAT32),
        }
    except ModelError as error:
        raise ModelError(f"{node} cannot be folded into {layer}: {error}") from None
