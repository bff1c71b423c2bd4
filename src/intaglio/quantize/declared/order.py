# SPDX-License-Identifier: Apache-2.0
"""Quantize before elements are moved or the largest is taken, instead of after it.

    quantize(max_pool(x)) = max_pool(quantize(x)),  quantize(reshape(x)) = reshape(quantize(x))

A quantizer with one scale for all channels is a function of one number that never decreases, so it
may be done first; so may a rectifier, or one scale and offset for all. Then what is moved and
compared are codes, and a network that reshapes its input before quantizing it is given codes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.types import FLOAT32
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.function import Function
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.multi_threshold import MultiThreshold
from intaglio.ops.relu import Relu


def quantize_first(graph: Graph) -> Graph:
    """Swap every such pair until there is none.

    The mover takes the name of what was behind it, since it now makes the same value.
    """
    while (pair := _pair(graph)) is not None:
        mover, node = pair
        inner = replace(
            node, name=f"{mover.name}.{node.op.name}", inputs=(mover.inputs[0], *node.inputs[1:])
        )
        outer = Node(node.name, mover.op, (inner.name, *mover.inputs[1:]), node.origin)
        nodes: list[Node] = []
        for other in graph.nodes:
            if other is mover:
                nodes += [inner, outer]
            elif other is not node:
                nodes.append(other)
        graph = rebuild(graph, nodes, dict(graph.constants) | _resized(graph, inner))
    return graph


def _pair(graph: Graph) -> tuple[Node, Node] | None:
    for node in graph.nodes:
        readers = graph.consumers.get(node.name, ())
        alone = len(readers) == 1 and node.name not in graph.outputs
        moves = isinstance(node.op, MaxPool) or (node.op.rearranges and len(node.inputs) == 1)
        if alone and moves and _same_for_all(graph, readers[0], falls=node.op.rearranges):
            return node, readers[0]
    return None


def _same_for_all(graph: Graph, node: Node, *, falls: bool) -> bool:
    """Tell whether a node is one function of one number that never falls, or may fall here."""
    match node.op:
        case Relu() | Clip() | Function(kind="sign"):
            return True
        case FakeQuantize():
            return len(node.op.scale) == 1
        case MultiThreshold():
            return len(graph.constants[node.inputs[1]].data) == 1
        case BatchNorm():
            scale, offset = (graph.constants[name].data for name in node.inputs[1:])
            alike = bool(np.all(scale == scale[0]) and np.all(offset == offset[0]))
            return alike and (falls or bool(scale[0] > 0))
        case _:
            return False


def _resized(graph: Graph, node: Node) -> dict[str, Constant]:
    """Return the constants of a batch norm for the channels it has now."""
    if not isinstance(node.op, BatchNorm):
        return {}
    channels = graph.types[node.inputs[0]].channels
    return {
        name: Constant(np.full(channels, graph.constants[name].data[0]), FLOAT32)
        for name in node.inputs[1:]
    }
