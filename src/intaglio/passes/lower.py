# SPDX-License-Identifier: Apache-2.0
"""Replace every operator by the smaller ones that hardware has."""

from __future__ import annotations

from dataclasses import replace

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
    return exhaust(graph, lowering)


def lowering(graph: Graph, node: Node) -> Replacement | None:
    """Return what an operator's own lowering makes of a node, or None if it is core."""
    steps = node.op.lower(graph.operand_types(node))
    if steps is None:
        return None
    constants = {
        operand: graph.constants[name]
        for operand, name in zip(node.op.operands, node.inputs, strict=True)
        if name in graph.constants
    }
    first = replace(
        steps[0], constants={**steps[0].constants, **node.op.lowered_constants(constants)}
    )
    return expand(node, (first, *steps[1:]))
