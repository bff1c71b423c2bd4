# SPDX-License-Identifier: Apache-2.0
"""A design as a chain of choices: one node after the other, with the lanes of the open streams.

What a node's choice costs depends on the earlier ones only through the lanes of the streams that it
reads, for unequal lanes need a converter. So the state between two nodes is the lanes of every
stream that still has a reader, and the cheapest rest of a design is a dynamic program over states.
Here states are arrays with one axis a stream, and prices turn the kinds of cells into one number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from intaglio.arch.dataflow import nothing_to_compute
from intaglio.devices.description import Device
from intaglio.explore.options import KINDS, NOTHING, Option, converter, forks, options
from intaglio.hw.unit import Stream
from intaglio.ir.graph import Graph, Node

Array = np.ndarray
#: Index of the lanes of each open stream, in the order of a step's `before` or `after`.
State = tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """How options of a node read one operand.

    Shapes: `slots` [lanes there are, lanes wanted] and `cells` [.., .., kinds] of the converter;
    `wanted` [options] indexes the second axis. Slots are -1 where there can be no converter.
    """

    axis: int
    slots: Array
    cells: Array
    wanted: Array


@dataclass(frozen=True)
class Step:
    """One node: its options, and the streams open before and after it.

    Shapes: `interval` and `given` (index of the lanes given) [options], `cells` [options, kinds],
    those of forks behind the node included. `kept` are the axes of `before` that stay open.
    """

    node: Node
    options: tuple[Option, ...]
    readings: tuple[Reading, ...]
    interval: Array
    given: Array
    cells: Array
    before: tuple[str, ...]
    kept: tuple[int, ...]
    opens: bool

    def after(self, state: State, option: int) -> State:
        """Return the state behind an option."""
        kept = tuple(state[axis] for axis in self.kept)
        return (*kept, int(self.given[option])) if self.opens else kept

    def behind(self, values: Array, state: State, options: Array) -> Array:
        """Return the values of the states behind some options.

        Shapes: values as states are indexed; options and result [options], or one for all of them.
        """
        kept: Array = values[tuple(state[axis] for axis in self.kept)]
        return kept[self.given[options]] if self.opens else kept

    def choices(self, state: State, interval: int) -> tuple[Array, Array]:
        """Return the options that keep an interval from a state, and their cells [.., kinds]."""
        possible = self.interval <= interval
        spent = self.cells
        for reading in self.readings:
            lanes = state[reading.axis]
            slots = reading.slots[lanes, reading.wanted]
            possible &= (slots >= 0) & (slots <= interval)
            spent = spent + reading.cells[lanes, reading.wanted]
        found = np.flatnonzero(possible)
        return found, spent[found]


@dataclass(frozen=True)
class Choices:
    """All steps of a design; `start` holds the cells of forks of the input, for all its lanes."""

    steps: tuple[Step, ...]
    lanes: Mapping[str, tuple[int, ...]]
    start: Array

    def intervals(self) -> Array:
        """Every interval a design can have, from the one the slowest node forces upwards."""
        floor = max(int(step.interval.min()) for step in self.steps)
        every = [step.interval for step in self.steps]
        every += [reading.slots.ravel() for step in self.steps for reading in step.readings]
        found = np.unique(np.concatenate(every))
        return found[found >= floor]

    def rests(self, prices: Array, interval: int) -> list[Array]:
        """Return the least price of the rest of a design, from each state before each step.

        Shapes: prices [kinds]; one array a step, an axis for each stream open before it, and one
        behind the last. Infinite where no rest keeps the interval.
        """
        found = [np.zeros(())]
        for step in reversed(self.steps):
            found.append(_rest(step, prices, interval, found[-1]))
        return found[::-1]


def _rest(step: Step, prices: Array, interval: int, behind: Array) -> Array:
    """Return the least price from each state before a step, given that from each behind it."""
    width = len(step.before)
    read = sorted({reading.axis for reading in step.readings})
    price = np.where(step.interval <= interval, step.cells @ prices, np.inf)
    own = price
    for reading in step.readings:
        slots = reading.slots
        convert = np.where((slots >= 0) & (slots <= interval), reading.cells @ prices, np.inf)
        shape = [1] * len(read)
        shape[read.index(reading.axis)] = len(slots)
        own = own + convert[:, reading.wanted].reshape(*shape, -1)
    if not step.readings:
        own = own.reshape(1, -1)
    best = _least_by(own, step.given, int(step.given.max()) + 1 if step.opens else 1, step.opens)
    # axes of `best`: those read, then the lanes given; of `behind`: those kept, then the same
    shape = [1] * width
    for axis in step.kept:
        shape[axis] = behind.shape[step.kept.index(axis)]
    given = behind.shape[-1] if step.opens else 1
    rest = behind.reshape(*shape, given)
    own_shape = [best.shape[read.index(axis)] if axis in read else 1 for axis in range(width)]
    return (best.reshape(*own_shape, -1) + rest).min(axis=-1)


def _least_by(price: Array, given: Array, count: int, opens: bool) -> Array:
    """Return the least price of the options that give each number of lanes."""
    if not opens:
        return price.min(axis=-1, keepdims=True)
    least = np.full((*price.shape[:-1], count), np.inf)
    for index in range(count):
        chosen = given == index
        if chosen.any():
            least[..., index] = price[..., chosen].min(axis=-1)
    return least


def choices(
    graph: Graph, device: Device, *, waits: bool = False
) -> tuple[Choices, Mapping[str, Option]]:
    """Return the steps of a hardware graph, and the only option of each node that is a wire.

    Args:
        graph: with hardware for every node.
        device: whose cells are counted.
        waits: whether cycles until each unit's first result are one more kind of cell, the last.

    Raises:
        ModelError: a node has no hardware, or there is no node that needs any.
    """
    found = {n.name: tuple(options(graph, n, device, waits=waits)) for n in graph.nodes}
    wires = {name: made[0] for name, made in found.items() if not made[0].inputs}
    streams = _Streams.of(graph, wires, device)
    steps: list[Step] = []
    for node in graph.nodes:
        if node.name not in wires:
            steps.append(streams.step(node, found[node.name]))
    if not steps:
        raise nothing_to_compute(graph)
    names = [value.name for value in graph.inputs if value.name in streams.lanes]
    start = [streams.fork_cells(name, lanes) for name in names for lanes in streams.lanes[name]]
    made = Choices(tuple(steps), streams.lanes, np.array(start, dtype=np.int64))
    return _with_waits(made) if waits else made, wires


def _with_waits(found: Choices) -> Choices:
    """Return choices with a kind of cell more: the cycles until each unit's first result."""
    steps = []
    for step in found.steps:
        readings = tuple(
            replace(reading, cells=np.pad(reading.cells, ((0, 0), (0, 0), (0, 1))))
            for reading in step.readings
        )
        waits = [option.wait for option in step.options]
        steps.append(replace(step, cells=np.column_stack((step.cells, waits)), readings=readings))
    return replace(found, steps=tuple(steps), start=np.pad(found.start, ((0, 0), (0, 1))))


@dataclass
class _Streams:
    """The streams of a graph while its nodes are visited.

    A wire's result is the stream it passes on: `roots` names the value that makes each stream.
    `readers` counts those still to come of each stream, `forks` its forks.
    """

    graph: Graph
    device: Device
    roots: Mapping[str, str]
    readers: dict[str, int]
    forks: Mapping[str, int]
    lanes: dict[str, tuple[int, ...]]
    open: tuple[str, ...]

    @classmethod
    def of(cls, graph: Graph, wires: Mapping[str, Option], device: Device) -> _Streams:
        roots = {value.name: value.name for value in graph.inputs}
        readers = dict.fromkeys(graph.types, 0)
        for node in graph.nodes:
            for name in node.inputs:
                readers[name] += 1
            roots[node.name] = roots[node.inputs[0]] if node.name in wires else node.name
        split = dict.fromkeys(roots.values(), 0)
        left = dict.fromkeys(roots.values(), 0)
        for name, root in roots.items():
            split[root] += max(0, readers[name] + (name in graph.outputs) - 1)
        for node in graph.nodes:
            if node.name not in wires:
                for name in node.inputs:
                    if name in roots:
                        left[roots[name]] += 1
        return cls(
            graph, device, roots, left, split, {}, tuple(value.name for value in graph.inputs)
        )

    def fork_cells(self, root: str, lanes: int) -> tuple[int, ...]:
        if not self.forks[root]:
            return NOTHING
        return forks(self.device, self.graph.types[root].integer, lanes, self.forks[root])

    def step(self, node: Node, found: tuple[Option, ...]) -> Step:
        before = self.open
        roots = [self.roots[name] for name in node.inputs if name in self.roots]
        readings = tuple(
            self._reading(root, before.index(root), [option.inputs[index] for option in found])
            for index, root in enumerate(roots)
        )
        for root in roots:
            self.readers[root] -= 1
        kept = tuple(axis for axis, root in enumerate(before) if self.readers[root])
        opens = self.readers[node.name] > 0
        self.open = (*(before[axis] for axis in kept), *((node.name,) if opens else ()))
        lanes = tuple(sorted({option.lanes_out for option in found}))
        self.lanes[node.name] = lanes
        behind = [self.fork_cells(node.name, option.lanes_out) for option in found]
        return Step(
            node,
            found,
            readings,
            np.array([option.interval for option in found]),
            np.array([lanes.index(option.lanes_out) for option in found]),
            np.array([option.cells for option in found]) + np.array(behind),
            before,
            kept,
            opens,
        )

    def _reading(self, root: str, axis: int, wanted: Sequence[Stream]) -> Reading:
        streams = {stream.lanes: stream for stream in wanted}
        lanes = tuple(sorted(streams))
        index = np.array([lanes.index(stream.lanes) for stream in wanted])
        if root not in self.lanes:  # the first reader of the input has it in the lanes it wants
            self.lanes[root] = lanes
            slots = np.where(np.eye(len(lanes), dtype=bool), 0, -1)
            return Reading(axis, slots, np.zeros((*slots.shape, len(KINDS)), dtype=np.int64), index)
        table = [
            [
                converter(self.device, s.element, s.lanes * s.beats, have, s.lanes)
                for _, s in sorted(streams.items())
            ]
            for have in self.lanes[root]
        ]
        slots = np.array([[interval for interval, _ in row] for row in table])
        return Reading(axis, slots, np.array([[cells for _, cells in row] for row in table]), index)
