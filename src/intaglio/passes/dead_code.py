# SPDX-License-Identifier: Apache-2.0
"""Leave out what no output depends on."""

from __future__ import annotations

from intaglio.ir.graph import Graph, rebuild


def dead_code(graph: Graph) -> Graph:
    """Return the graph without nodes and constants that no output depends on; inputs stay."""
    needed = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return rebuild(graph, [n for n in graph.nodes if n.name in needed], graph.constants)
