# SPDX-License-Identifier: Apache-2.0
"""Rewriting: a rule looks at one node and says what stands in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.operator import Step


@dataclass(frozen=True)
class Replacement:
    """What stands in place of a node, and the constants it needs.

    `alias` names the value that replaces the node's own when nothing is computed any more;
    otherwise the last node must keep the replaced node's name.
    """

    nodes: tuple[Node, ...] = ()
    constants: Mapping[str, Constant] = field(default_factory=dict)
    alias: str | None = None


Rule = Callable[[Graph, Node], Replacement | None]


def apply(graph: Graph, rule: Rule) -> Graph:
    """Apply a rule to every node once, front to back, each seeing the graph as it was given."""
    nodes: list[Node] = []
    constants = dict(graph.constants)
    aliases: dict[str, str] = {}
    for node in graph.nodes:
        found = rule(graph, node)
        if found is None:
            nodes.append(node)
            continue
        nodes.extend(found.nodes)
        constants.update(found.constants)
        if found.alias is not None:
            aliases[node.name] = aliases.get(found.alias, found.alias)
    if aliases:
        nodes = [replace(n, inputs=tuple(aliases.get(i, i) for i in n.inputs)) for n in nodes]
        outputs = tuple(aliases.get(name, name) for name in graph.outputs)
        graph = replace(graph, outputs=outputs, nodes=tuple(nodes), constants=constants)
    return rebuild(graph, nodes, constants)


def exhaust(graph: Graph, rule: Rule) -> Graph:
    """Apply a rule until it finds nothing more."""
    while True:
        found = apply(graph, rule)
        if found.nodes == graph.nodes and found.outputs == graph.outputs:
            return found
        graph = found


def expand(node: Node, steps: Sequence[Step]) -> Replacement:
    """Turn a lowering into a replacement: inner names get the node's name in front.

    In `steps`, an operand name of the operator means the node's own input, and the last step makes
    the node's value.
    """
    names = dict(zip(node.op.operands, node.inputs, strict=True))
    constants: dict[str, Constant] = {}
    nodes: list[Node] = []
    for step in steps:
        for name, constant in step.constants.items():
            names[name] = f"{node.name}.{name}"
            constants[names[name]] = constant
        names[step.name] = node.name if step is steps[-1] else f"{node.name}.{step.name}"
        inputs = tuple(names[name] for name in step.inputs)
        origin = node.origin if step is steps[-1] else ""
        nodes.append(Node(names[step.name], step.op, inputs, origin))
    return Replacement(tuple(nodes), constants)
