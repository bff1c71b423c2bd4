# SPDX-License-Identifier: Apache-2.0
"""A last softmax is left out: the scores before it have the same order.

The program's result then is the scores, under the name of their own float value, and a note of the
program says so. In the middle of a network a softmax stays, and is refused.
"""

from __future__ import annotations

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, apply
from intaglio.ops.argmax import Argmax
from intaglio.ops.flatten import Flatten
from intaglio.ops.reshape import Reshape
from intaglio.ops.softmax import Softmax
from intaglio.quantize.build import Build


def scores_only(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Return the graph without what only turns scores into probabilities, and a note for each."""
    left_out = [node for node in graph.nodes if _is_left_out(graph, node)]
    names = {node.name for node in left_out}

    def rule(_graph: Graph, node: Node) -> Replacement | None:
        return Replacement(alias=node.inputs[0]) if node.name in names else None

    notes = tuple(
        f"{node} is left out: the scores {node.inputs[0]!r} before it have the same order"
        for node in left_out
    )
    return (apply(graph, rule), notes) if names else (graph, ())


def refuse(_build: Build, node: Node, _op: Softmax) -> None:
    """Refuse a softmax whose numbers are computed with."""
    raise QuantizationError(
        f"{node} must be the network's end, or be read by argmax alone, where it can be left out: "
        "integers have no probabilities; cut the network in front of it"
    )


def _is_left_out(graph: Graph, node: Node) -> bool:
    """Tell whether nothing but the order along the last axis is asked of a softmax."""
    if not isinstance(node.op, Softmax):
        return False
    alone = graph.types[node.name].size == graph.types[node.name].channels
    reached = [node]
    for value in reached:
        readers = graph.consumers.get(value.name, ())
        if not all(isinstance(n.op, Flatten | Reshape | Argmax) for n in readers):
            return False
        # Scores of several places have no common order, only probabilities have.
        if not alone and any(isinstance(n.op, Argmax) for n in readers):
            return False
        reached += [n for n in readers if not isinstance(n.op, Argmax)]
    return True
