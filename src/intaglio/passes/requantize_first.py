# SPDX-License-Identifier: Apache-2.0
"""Requantize before elements are moved instead of after it, so that narrow ones are moved.

    requantize(move(x), m) = move(requantize(x, m'))   m' being m where the channels come from

A transposed convolution is lowered to a convolution whose outputs are woven together: its
accumulators would be stored and reordered at their full width.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, apply
from intaglio.ops.requantize import Requantize
from intaglio.passes.dead_code import dead_code


def requantize_first(graph: Graph) -> Graph:
    """Swap every operator that only moves elements with the narrowing requantize behind it.

    The move takes the requantize's name, since it now makes the same value; the new value before it
    is named `<move>.requantize`. A pair stays as it is where something else reads the moved value,
    or where the elements of a channel would meet different multipliers.
    """
    while (found := dead_code(apply(graph, _swap))).nodes != graph.nodes:
        graph = found
    return graph


def _swap(graph: Graph, node: Node) -> Replacement | None:
    move = graph.producers.get(node.inputs[0])
    if not isinstance(node.op, Requantize) or move is None:
        return None
    moves = move.op.rearranges and len(move.inputs) == 1
    alone = move.name not in graph.outputs and len(graph.consumers[move.name]) == 1
    narrows = node.op.element.width < graph.types[move.name].integer.width
    if not (moves and alone and narrows):
        return None
    multiplier = _before(graph, move, graph.constants[node.inputs[1]])
    if multiplier is None:
        return None
    name = f"{move.name}.requantize"
    inner = Node(name, node.op, (*move.inputs, f"{name}.multiplier"))
    outer = replace(node, op=move.op, inputs=(name,))
    return Replacement((inner, outer), {f"{name}.multiplier": multiplier})


def _before(graph: Graph, move: Node, multiplier: Constant) -> Constant | None:
    """Return the multipliers of the channels that are moved, or None if one would need several.

    Exactness: evaluated on positions, the operator itself tells where each element comes from.
    """
    if multiplier.data.size == 1:
        return multiplier
    x = graph.types[move.inputs[0]]
    positions = np.arange(x.size).reshape(1, *x.shape)
    channels = move.op.evaluate(positions) % x.channels
    wanted = np.broadcast_to(multiplier.data, channels.shape)
    before = np.full(x.channels, multiplier.data[0])  # of a channel that is left out: any
    before[channels] = wanted
    return Constant(before, multiplier.element) if np.all(before[channels] == wanted) else None
