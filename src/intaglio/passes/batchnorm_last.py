# SPDX-License-Identifier: Apache-2.0
"""Move a scale and an offset for each channel behind pooling, to the layer that can take them.

    max_pool(x * scale + offset)     = max_pool(x) * scale + offset      where no scale is negative
    average_pool(x * scale + offset) = average_pool(x) * scale + offset  where no padding counts
    flatten(x * scale + offset)      = flatten(x) * scale' + offset'     each repeated by pixel

A network with its relu before its batch_norm leaves one in front of each pool. Behind it there are
fewer numbers to scale, and often a layer to fold it into.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.types import FLOAT32
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool


def batchnorm_last(graph: Graph) -> Graph:
    """Swap each batch_norm with the pool that alone reads it, or the flatten before a dense layer.

    The batch_norm takes the name of what was behind it, since it now makes the same value; the new
    value before it is named `<batch_norm>.<operator>`.
    """
    while (pair := _pair(graph)) is not None:
        norm, mover = pair
        repeats = graph.types[mover.name].channels // graph.types[norm.name].channels
        constants = dict(graph.constants)
        names = []
        for name in norm.inputs[1:]:
            names.append(f"{mover.name}.{name}")
            constants[names[-1]] = Constant(np.tile(graph.constants[name].data, repeats), FLOAT32)
        inner = Node(f"{norm.name}.{mover.op.name}", mover.op, norm.inputs[:1])
        outer = replace(mover, op=norm.op, inputs=(inner.name, *names))
        nodes: list[Node] = []
        for node in graph.nodes:
            if node is norm:
                nodes += [inner, outer]
            elif node is not mover:
                nodes.append(node)
        graph = rebuild(graph, nodes, constants)
    return graph


def _pair(graph: Graph) -> tuple[Node, Node] | None:
    for node in graph.nodes:
        readers = graph.consumers.get(node.name, ())
        alone = node.name not in graph.outputs and len(readers) == 1
        if isinstance(node.op, BatchNorm) and alone and _commutes(graph, node, readers[0]):
            return node, readers[0]
    return None


def _commutes(graph: Graph, norm: Node, mover: Node) -> bool:
    """Tell whether a batch_norm may, and should, come after what reads it."""
    match mover.op:
        case MaxPool():
            return bool((graph.constants[norm.inputs[1]].data >= 0.0).all())
        case AveragePool():
            return not any(mover.op.padding)
        case Flatten():
            readers = graph.consumers.get(mover.name, ())
            dense = len(readers) == 1 and isinstance(readers[0].op, Matmul)
            return dense and mover.name not in graph.outputs
        case _:
            return False
