# SPDX-License-Identifier: Apache-2.0
"""What became of each value of the float network: its integers, its units, or its end.

Integers keep the names of the float network; what stands for a part of a value is named after it
with a dot behind (`c1.acc`, `c1.acc.padded`), so names alone tell what came from what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intaglio.arch.design import Design, Instance
from intaglio.ir.graph import Graph, Node, Program
from intaglio.ir.types import TensorType


@dataclass(frozen=True)
class Fate:
    """What stands for a value: nodes of the program, or of the hardware if there is a design.

    `units` do nodes, `plumbing` joins them to others; `type` is that of the integers. Where there
    are no nodes, `into` names the value they went into, or is empty: then nothing needs it.
    """

    nodes: tuple[Node, ...]
    units: tuple[Instance, ...]
    plumbing: tuple[Instance, ...]
    type: TensorType | None
    into: str


def fates(graph: Graph, program: Program, design: Design | None) -> dict[str, Fate]:
    """Return what became of every value of a float graph, inputs included."""
    lowered = program.graph if design is None else design.graph
    names = [*(value.name for value in graph.inputs), *(node.name for node in graph.nodes)]
    nodes: dict[str, list[Node]] = {name: [] for name in names}
    units: dict[str, list[Instance]] = {name: [] for name in names}
    for node in lowered.nodes:
        if owner := _owner(node.name, nodes):
            nodes[owner].append(node)
    for instance in () if design is None else design.instances:
        if owner := _owner(instance.node, nodes):
            units[owner].append(instance)
    inputs = {value.name for value in program.graph.inputs}
    alive = {name for name in names if nodes[name] or name in inputs}
    return {
        name: Fate(
            tuple(nodes[name]),
            tuple(unit for unit in units[name] if unit.name == unit.node),
            tuple(unit for unit in units[name] if unit.name != unit.node),
            _type(name, lowered, nodes[name]),
            "" if name in alive else _heir(graph, name, alive),
        )
        for name in names
    }


def _owner(name: str, values: Mapping[str, object]) -> str:
    """Return the value that a name is, or that it is a part of."""
    while name and name not in values:
        name = name.rpartition(".")[0]
    return name


def _type(name: str, lowered: Graph, nodes: Iterable[Node]) -> TensorType | None:
    last = [node.name for node in nodes][-1:]
    return lowered.types.get(name, lowered.types[last[0]] if last else None)


def _heir(graph: Graph, name: str, alive: set[str]) -> str:
    """Return the nearest value behind one that integers still stand for, if there is any."""
    waiting = [name]
    for value in waiting:
        for reader in graph.consumers.get(value, ()):
            if reader.name in alive:
                return reader.name
            if reader.name not in waiting:
                waiting.append(reader.name)
    return ""
