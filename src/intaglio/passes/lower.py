# SPDX-License-Identifier: Apache-2.0
"""Replace every operator by the smaller ones that hardware has."""

from __future__ import annotations

from intaglio.errors import ModelError
from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, exhaust, expand
from intaglio.numerics.types import IntType


def lower(graph: Graph) -> Graph:
    """Apply each operator's own lowering until only core operators are left.

    Raises:
        ModelError: a value is not an integer.
    """
    for name, type_ in graph.types.items():
        if not isinstance(type_.element, IntType):
            raise ModelError(f"a graph to lower must be integer, not {name!r} {type_}: quantize it")
    return exhaust(graph, _lower)


def _lower(graph: Graph, node: Node) -> Replacement | None:
    steps = node.op.lower(graph.operand_types(node))
    return None if steps is None else expand(node, steps)
