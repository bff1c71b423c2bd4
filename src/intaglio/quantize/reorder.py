# SPDX-License-Identifier: Apache-2.0
"""Rectify before max pooling instead of after it, so that the convolution's requantizer does it.

    relu(max_pool(x)) = max_pool(relu(x)), and the same for clip: both never decrease

Without this the convolution's codes would be spread over negative values that nobody reads.
"""

from __future__ import annotations

from dataclasses import replace

from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ops.clip import Clip
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu


def rectify_before_pooling(graph: Graph) -> Graph:
    """Swap each max_pool with the relu or clip that alone reads it.

    The pool takes the rectifier's name, since it now makes the same value; the new value before it
    is named `<pool>.<operator>`.
    """
    while (pair := _pair(graph)) is not None:
        pool, rectifier = pair
        inner = Node(f"{pool.name}.{rectifier.op.name}", rectifier.op, pool.inputs)
        outer = replace(rectifier, op=pool.op, inputs=(inner.name,))
        nodes: list[Node] = []
        for node in graph.nodes:
            if node is pool:
                nodes += [inner, outer]
            elif node is not rectifier:
                nodes.append(node)
        graph = rebuild(graph, nodes, graph.constants)
    return graph


def _pair(graph: Graph) -> tuple[Node, Node] | None:
    for node in graph.nodes:
        readers = graph.consumers.get(node.name, ())
        if (
            isinstance(node.op, MaxPool)
            and node.name not in graph.outputs
            and len(readers) == 1
            and isinstance(readers[0].op, Relu | Clip)
        ):
            return node, readers[0]
    return None
