# SPDX-License-Identifier: Apache-2.0
"""Rectify before max pooling and concat instead of after, so that a layer's requantizer does it.

    relu(max_pool(x)) = max_pool(relu(x)), and the same for clip: both never decrease
    relu(concat(x, y)) = concat(relu(x), relu(y))

Without this the layer's codes would be spread over negative values that nobody reads.
"""

from __future__ import annotations

from dataclasses import replace

from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu


def rectify_first(graph: Graph) -> Graph:
    """Swap each max_pool and each concat with the relu or clip that alone reads it.

    It takes the rectifier's name, since it now makes the same value; the new value before it is
    named `<node>.<operand>.<operator>`.
    """
    while (pair := _pair(graph)) is not None:
        first, rectifier = pair
        inner = {
            name: Node(f"{first.name}.{operand}.{rectifier.op.name}", rectifier.op, (name,))
            for operand, name in zip(first.op.operands, first.inputs, strict=True)
        }
        inputs = tuple(inner[name].name for name in first.inputs)
        outer = replace(rectifier, op=first.op, inputs=inputs)
        nodes: list[Node] = []
        for node in graph.nodes:
            if node is first:
                nodes += [*inner.values(), outer]
            elif node is not rectifier:
                nodes.append(node)
        graph = rebuild(graph, nodes, graph.constants)
    return graph


def _pair(graph: Graph) -> tuple[Node, Node] | None:
    for node in graph.nodes:
        readers = graph.consumers.get(node.name, ())
        if (
            isinstance(node.op, MaxPool | Concat)
            and node.name not in graph.outputs
            and len(readers) == 1
            and isinstance(readers[0].op, Relu | Clip)
        ):
            return node, readers[0]
    return None
