# SPDX-License-Identifier: Apache-2.0
"""Make a scale and an offset for each channel a convolution of one pixel, channel by channel.

    x * scale + offset  =  conv2d(x, weight [C, 1, 1, 1] = scale, bias = offset), C groups

What `fold_batchnorm` leaves becomes a layer like any other, with integers and hardware. A value
that is no image becomes one for the time being: a column of pixels with the same last axis.
"""

from __future__ import annotations

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, apply
from intaglio.ir.types import FLOAT32
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.reshape import Reshape


def batchnorm_to_depthwise(graph: Graph) -> Graph:
    """Replace every batch_norm; the value keeps its name."""
    return apply(graph, _depthwise)


def _depthwise(graph: Graph, node: Node) -> Replacement | None:
    if not isinstance(node.op, BatchNorm):
        return None
    x, scale, offset = node.inputs
    shape = graph.types[x].shape
    channels = shape[-1] if shape else 1
    names = f"{node.name}.weight", f"{node.name}.bias"
    weight = graph.constants[scale].data.reshape(channels, 1, 1, 1)
    constants = {
        names[0]: Constant(weight, FLOAT32),
        names[1]: graph.constants[offset],
    }
    layer = Conv2d(groups=channels)
    if len(shape) == 3:
        return Replacement((Node(node.name, layer, (x, *names), node.origin),), constants)
    image, scaled = f"{node.name}.image", f"{node.name}.scaled"
    pixels = graph.types[x].size // channels
    nodes = (
        Node(image, Reshape((pixels, 1, channels)), (x,)),
        Node(scaled, layer, (image, *names)),
        Node(node.name, Reshape(shape), (scaled,), node.origin),
    )
    return Replacement(nodes, constants)
