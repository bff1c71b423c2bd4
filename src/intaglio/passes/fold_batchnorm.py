# SPDX-License-Identifier: Apache-2.0
"""Put a per-channel scale and offset into the convolution or dense layer before it.

    (x * w + b) * scale + offset = x * (w * scale) + (b * scale + offset)

Computed in float64 and rounded once. The value that remains is the one after the scale, so the
folded layer takes the name of the batch_norm node.
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
from intaglio.passes.dead_code import dead_code


def fold_batchnorm(graph: Graph) -> Graph:
    """Fold every batch_norm that directly follows a convolution or dense layer only it reads.

    Raises:
        ModelError: a folded weight leaves float32.
    """
    return dead_code(exhaust(graph, _fold))


def _fold(graph: Graph, node: Node) -> Replacement | None:
    if not isinstance(node.op, BatchNorm):
        return None
    layer = graph.producers.get(node.inputs[0])
    if layer is None or not isinstance(layer.op, Conv2d | ConvTranspose2d | Matmul):
        return None
    if layer.name in graph.outputs or graph.consumers[layer.name] != (node,):
        return None
    x, weight, bias = layer.inputs
    scale, offset = (graph.constants[name].data.astype(np.float64) for name in node.inputs[1:])
    kernel = graph.constants[weight].data
    scaled = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
    shifted = graph.constants[bias].data * scale + offset
    try:
        constants = {
            f"{node.name}.weight": Constant(scaled, FLOAT32),
            f"{node.name}.bias": Constant(shifted, FLOAT32),
        }
    except ModelError as error:
        raise ModelError(f"{node} cannot be folded into {layer}: {error}") from None
    folded = Node(node.name, layer.op, (x, *constants), node.origin)
    return Replacement((folded,), constants)
