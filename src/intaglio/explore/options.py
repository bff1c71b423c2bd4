# SPDX-License-Identifier: Apache-2.0
"""What there is to choose: every fold of every node, and what the streams between them cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from intaglio.arch.dataflow import node_unit
from intaglio.devices.description import Device
from intaglio.hw.cost import Resources
from intaglio.hw.stream_fork import stream_fork
from intaglio.hw.stream_width import regroup
from intaglio.hw.timing import Capacity, Process, Wiring, follow
from intaglio.hw.unit import Fold, Stream, StreamOperator, Unit
from intaglio.ir.graph import Graph, Node
from intaglio.numerics.types import IntType

#: Cells of a choice, in the order of KINDS.
Cells = tuple[int, ...]
KINDS = ("dsp", "bram", "lut", "ff")
NOTHING: Cells = (0,) * len(KINDS)


@dataclass(frozen=True)
class Option:
    """One fold of one node: what it wants, gives and costs; no streams for a wire.

    `wait` is how many cycles pass until its unit's first result; 0 where that is not asked for.
    """

    fold: Fold
    inputs: tuple[Stream, ...]
    lanes_out: int
    interval: int
    cells: Cells
    wait: int = 0


def options(graph: Graph, node: Node, device: Device, *, waits: bool) -> Iterator[Option]:
    """Yield the folds of a node with what they cost, dominated ones left out."""
    if not isinstance(node.op, StreamOperator):
        return
    alike: dict[tuple[tuple[Stream, ...], int], list[Option]] = {}
    for fold in node.op.folds(graph.operand_types(node)):
        unit = node_unit(graph, node, fold)
        if unit is None:
            yield Option(fold, (), 0, 1, NOTHING)
            return
        inputs, lanes = tuple(unit.inputs.values()), unit.outputs["out"].lanes
        spent = cells(unit.resources.on(device))
        wait = first_result(unit) if waits else 0
        option = Option(fold, inputs, lanes, unit.interval, spent, wait)
        alike.setdefault((inputs, lanes), []).append(option)
    for found in alike.values():
        yield from undominated(found)


def undominated(found: Sequence[Option]) -> list[Option]:
    """Keep the options that no other is as good as in interval, wait and every kind of cell."""
    kept: list[Option] = []
    for option in sorted(found, key=lambda o: (o.interval, o.cells, o.wait)):
        spent = *option.cells, option.wait
        if not any(dominates((*other.cells, other.wait), spent) for other in kept):
            kept.append(option)
    return kept


def first_result(unit: Unit) -> int:
    """Return how many cycles pass until the first result of a unit that is fed without waiting."""
    inputs = tuple((port, stream.beats) for port, stream in unit.inputs.items())
    outputs = tuple((port, stream.beats) for port, stream in unit.outputs.items())
    return _first_result(unit.processes, inputs, outputs, tuple(unit.capacities.items()))


@cache
def _first_result(
    processes: tuple[Process, ...],
    inputs: tuple[tuple[str, int], ...],
    outputs: tuple[tuple[str, int], ...],
    capacities: tuple[tuple[str, Capacity], ...],
) -> int:
    """Do so once for all units that differ only in what their products are made of."""
    names = {port: port for port, _ in (*inputs, *outputs, *capacities)}
    pairs = [(process, names) for process in processes]
    found = follow(Wiring(pairs, dict(capacities), dict(inputs), dict(outputs)), 1)
    return found.frames[0].first_out


@cache
def converter(
    device: Device, element: IntType, elements: int, have: int, want: int
) -> tuple[int, Cells]:
    """Return the interval and cells of what turns one number of lanes into another."""
    units = regroup(element, elements, have, want)
    total = sum((unit.resources for unit in units), Resources())
    return max((unit.interval for unit in units), default=0), cells(total.on(device))


@cache
def forks(device: Device, element: IntType, lanes: int, count: int) -> Cells:
    """Return the cells of so many forks of a stream; they are as fast as what feeds them."""
    return cells(stream_fork(Stream(lanes, element, 1)).resources.on(device) * count)


def dominates(a: Cells, b: Cells) -> bool:
    """Tell whether no kind of cell of the first exceeds the second's."""
    return all(x <= y for x, y in zip(a, b, strict=True))


def cells(resources: Resources) -> Cells:
    """Return resources in the order of KINDS."""
    return tuple(getattr(resources, kind) for kind in KINDS)


def resources(found: Sequence[int] | np.ndarray) -> Resources:
    """Return cells as resources; what comes behind them in a search for waits is none."""
    dsp, bram, lut, ff = (int(count) for count in found[: len(KINDS)])
    return Resources(lut, ff, dsp, bram)
