# SPDX-License-Identifier: Apache-2.0
"""Give functions that are written out their name: x * sigmoid(x) becomes silu(x).

Exporters write an activation function as the operators of their standard, in many ways. So its
values are looked at, not its form: what is computed of one value alone, element by element, is
tried on many numbers and compared with every function there is. The result is one table where
there was a fork.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from intaglio.ir.graph import Graph, Node
from intaglio.ir.rewrite import Replacement, apply
from intaglio.numerics import functions
from intaglio.ops.add import Add
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.function import Function
from intaglio.ops.mul import Mul
from intaglio.ops.relu import Relu
from intaglio.passes.dead_code import dead_code

#: Longest way of writing a function that is looked for, in nodes: a gelu takes five.
MOST = 10
#: Larger graphs are not searched: it would take long.
MAX_NODES = 2000
#: Two functions differ by more than the tolerance somewhere here; a clamp out there shows, too.
_FAR = np.geomspace(10, 1e6, 61, dtype=np.float32)
_GRID = np.concatenate([-_FAR[::-1], np.linspace(-10, 10, 801, dtype=np.float32), _FAR])
_TOLERANCE = 2e-5
_ELEMENTWISE = (Add, Clip, Function, Mul, Relu)


def name_functions(graph: Graph) -> Graph:
    """Replace compositions that equal a function without parameters; the value keeps its name."""
    if len(graph.nodes) > MAX_NODES:
        return graph
    nodes = {node.name: node for node in graph.nodes if _elementwise(graph, node)}
    order = {node.name: place for place, node in enumerate(graph.nodes)}

    def rule(graph: Graph, node: Node) -> Replacement | None:
        for source, cone in _cones(graph, node, nodes, order):
            if kind := _kind(_values(graph, source, cone)):
                return Replacement((Node(node.name, Function(kind), (source,), node.origin),))
        return None

    named = apply(graph, rule)
    return graph if named.nodes == graph.nodes else dead_code(named)


def _elementwise(graph: Graph, node: Node) -> bool:
    """Tell whether a node does the same to every element."""
    if isinstance(node.op, BatchNorm):
        arrays = [graph.constants[name].data for name in node.inputs[1:]]
        return all(np.all(array == array[0]) for array in arrays)
    return isinstance(node.op, _ELEMENTWISE)


def _cones(
    graph: Graph, node: Node, nodes: Mapping[str, Node], order: Mapping[str, int]
) -> Iterator[tuple[str, list[Node]]]:
    """Yield each value that alone decides the node's, with the nodes between, the nearest first."""
    cone: list[Node] = []
    open_ = {node.name}
    forked = False
    while len(cone) < MOST:
        last = max(open_, key=lambda name: order.get(name, -1))
        if last not in nodes:
            return
        cone.insert(0, nodes[last])
        open_.remove(last)
        open_.update(name for name in nodes[last].inputs if name not in graph.constants)
        forked = forked or (len(nodes[last].inputs) > 1 and isinstance(nodes[last].op, Add | Mul))
        if len(open_) == 1 and forked:
            yield next(iter(open_)), list(cone)


def _values(graph: Graph, source: str, cone: Sequence[Node]) -> np.ndarray:
    """Compute the last node of a cone for the numbers of the grid as its source."""
    known = {source: _GRID[:, None]}
    with np.errstate(all="ignore"):
        for node in cone:
            operands = [
                graph.constants[name].data[:1] if name in graph.constants else known[name]
                for name in node.inputs
            ]
            known[node.name] = node.op.evaluate(*operands)
    return known[cone[-1].name][:, 0].astype(np.float64)


def _kind(values: np.ndarray) -> str | None:
    """Return the function that has these values on the grid, if there is one."""
    if not np.isfinite(values).all():
        return None
    for kind, expected in _table().items():
        if np.all(np.abs(values - expected) <= _TOLERANCE * np.maximum(np.abs(expected), 1)):
            return kind
    return None


@cache
def _table() -> Mapping[str, np.ndarray]:
    """Return the values of every function without parameters that is finite everywhere."""
    kinds = [kind for kind, formula in functions.FORMULAS.items() if not formula.parameters]
    found = {kind: functions.apply(kind, (), _GRID) for kind in kinds}
    return {kind: values for kind, values in found.items() if np.isfinite(values).all()}
