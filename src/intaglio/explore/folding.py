# SPDX-License-Identifier: Apache-2.0
"""Exact folding of a dataflow design under a device's budget.

The interval of a design is that of its slowest unit, so the least interval is found by bisection
over the intervals that occur. Whether one is feasible is a multiple-choice knapsack with several
resources: nodes are visited in stream order, and for every way the streams now open can be laned
the Pareto set of the cells spent so far is kept. Converters between unequal lanes are part of it.
So are the forks of streams with several readers. Nothing is sampled and nothing is dropped but what
is dominated, so the result is the optimum of the cost model.

Source: the bisection over the bottleneck and the merging of Pareto sets is the textbook dynamic
program for bottleneck and multiple-choice knapsack problems (Kellerer, Pferschy, Pisinger,
"Knapsack Problems", 2004, chapter 11).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from intaglio.arch.dataflow import capacity, hardware_graph, node_unit, over_capacity
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError
from intaglio.hw.cost import Resources
from intaglio.hw.stream_fork import stream_fork
from intaglio.hw.stream_width import regroup
from intaglio.hw.unit import Fold, Stream, StreamOperator
from intaglio.ir.graph import Graph, Node, Program
from intaglio.numerics.types import IntType

Cells = tuple[int, int, int, int]
#: Lanes of every stream that still has a reader, with the readers left: (value, lanes, readers).
State = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Option:
    """One fold of one node: what it wants, gives and costs; no streams for a wire."""

    fold: Fold
    inputs: tuple[Stream, ...]
    lanes_out: int
    interval: int
    cells: Cells


@dataclass(frozen=True)
class _Partial:
    """Cells spent up to a node, and the chain of choices that spent them."""

    cells: Cells
    chosen: Option | None
    before: _Partial | None


@dataclass(frozen=True)
class Folding:
    """The chosen fold of every node, the interval it reaches and the cells it is estimated at."""

    folds: Mapping[str, Fold]
    interval: int
    resources: Resources


def best_throughput(program: Program, device: Device, fill: float = 1.0) -> Folding:
    """Return the folding of least interval that fits, and among those the one of least cells.

    Args:
        program: what to fold.
        device: what it has to fit.
        fill: share of each kind of the device's cells that may be taken.

    Raises:
        InfeasibleError: not even the smallest design fits.
        ModelError: a node has no hardware.
    """
    search = _Search.of(program, device, fill)
    intervals = search.intervals()
    found = bisect_left(intervals, True, key=lambda t: search.smallest(t) is not None)
    if found == len(intervals):
        raise InfeasibleError(search.shortfall(intervals[-1]))
    return search.folding(intervals[found])


def least_area(program: Program, device: Device, interval: int, fill: float = 1.0) -> Folding:
    """Return the folding of least cells whose interval is at most the given one.

    Least means the smallest share of the scarcest kind of cell, then the smallest sum of shares.

    Args:
        program: what to fold.
        device: what it has to fit.
        interval: cycles a frame may take.
        fill: share of each kind of the device's cells that may be taken.

    Raises:
        InfeasibleError: no fold is that fast, or none that is fits.
    """
    search = _Search.of(program, device, fill)
    fastest = search.intervals()[0]
    if fastest > interval:
        raise InfeasibleError(
            f"an interval must be at least {fastest} cycles for this network, not {interval}: "
            f"ask for fewer frames per second or a higher clock"
        )
    if search.smallest(interval) is None:
        raise InfeasibleError(search.shortfall(interval))
    return search.folding(interval)


@dataclass(frozen=True)
class _Search:
    """The options of every node, and the device's bound.

    `outside` names the input and what only renames it: one stream, whose lanes its first reader
    chooses.
    """

    graph: Graph
    options: Mapping[str, tuple[Option, ...]]
    readers: Mapping[str, int]
    forks: Mapping[str, int]
    outside: frozenset[str]
    bound: Resources
    device: Device

    @classmethod
    def of(cls, program: Program, device: Device, fill: float) -> _Search:
        graph = hardware_graph(program)
        options = {node.name: tuple(_options(graph, node, device)) for node in graph.nodes}
        readers = dict.fromkeys(graph.types, 0)
        for node in graph.nodes:
            for name in node.inputs:
                readers[name] += 1
        forks = {v: max(0, n + (v in graph.outputs) - 1) for v, n in readers.items()}
        outside = {value.name for value in graph.inputs}
        for node in graph.nodes:
            if outside.issuperset(node.inputs) and not options[node.name][0].inputs:
                outside.add(node.name)
        bound = capacity(device, fill)
        return cls(graph, options, readers, forks, frozenset(outside), bound, device)

    def intervals(self) -> list[int]:
        """Every interval a design can have, from the one the slowest node forces upwards."""
        floor = max(min(o.interval for o in options) for options in self.options.values())
        every = {o.interval for options in self.options.values() for o in options}
        every |= {s.beats for opts in self.options.values() for o in opts for s in o.inputs}
        every |= {self.graph.types[n].size for n in self.options}
        return sorted(t for t in every if t >= floor)

    def smallest(self, interval: int, bound: Resources | None = None) -> _Partial | None:
        """Return the choices of least cells that keep the interval and fit, or None."""
        limit = _cells(bound or self.bound)
        states = {self._start(): [_Partial((0, 0, 0, 0), None, None)]}
        for node in self.graph.nodes:
            reached: dict[State, list[_Partial]] = {}
            for state, partials in states.items():
                for option in self.options[node.name]:
                    if option.interval > interval:
                        continue
                    step = self._step(node, state, option, interval)
                    if step is None:
                        continue
                    after, cells = step
                    grown = (_plus(p.cells, cells) for p in partials)
                    reached.setdefault(after, []).extend(
                        _Partial(total, option, before)
                        for total, before in zip(grown, partials, strict=True)
                        if all(a <= b for a, b in zip(total, limit, strict=True))
                    )
            states = {state: _pareto(partials) for state, partials in reached.items() if partials}
        ends = [partial for partials in states.values() for partial in partials]
        return min(ends, key=self._share, default=None)

    def _start(self) -> State:
        return tuple((value.name, 0, self.readers[value.name]) for value in self.graph.inputs)

    def _step(
        self, node: Node, state: State, option: Option, interval: int
    ) -> tuple[State, Cells] | None:
        """Lane the node's operands for an option; None where a converter is too slow."""
        lanes = {value: (width, left) for value, width, left in state}
        cells = option.cells
        given = option.lanes_out
        for index, value in enumerate(self._operands(node)):
            width, left = lanes[value]
            if not option.inputs:  # a wire: the lanes go on as they are
                given = width
            else:
                wanted = option.inputs[index]
                if not width:
                    width, cells = wanted.lanes, _plus(cells, self._outside_forks(wanted))
                    lanes = {v: (w or width, readers) for v, (w, readers) in lanes.items()}
                slots, more = _converter(
                    self.device, wanted.element, wanted.lanes * wanted.beats, width, wanted.lanes
                )
                if slots > interval:
                    return None
                cells = _plus(cells, more)
            lanes[value] = (width, left - 1)
        if node.name not in self.outside:
            element = self.graph.types[node.name].integer
            cells = _plus(cells, _forks(self.device, element, given, self.forks[node.name]))
        lanes[node.name] = (given, self.readers[node.name])
        after = tuple(sorted((v, w, left) for v, (w, left) in lanes.items() if left))
        return after, cells

    def _operands(self, node: Node) -> list[str]:
        return [name for name in node.inputs if name not in self.graph.constants]

    def _outside_forks(self, stream: Stream) -> Cells:
        count = sum(self.forks[name] for name in self.outside)
        return _forks(self.device, stream.element, stream.lanes, count)

    def folding(self, interval: int) -> Folding:
        """Return the smallest folding of a feasible interval."""
        partial = self.smallest(interval)
        if partial is None:
            raise InfeasibleError(self.shortfall(interval))
        chosen = _unwind(partial)
        folds = {n.name: o.fold for n, o in zip(self.graph.nodes, chosen, strict=True)}
        return Folding(folds, self._reached(chosen, interval), _resources(partial.cells))

    def _reached(self, chosen: Sequence[Option], limit: int) -> int:
        """The interval of the slowest unit of a choice that keeps a limit, converters among them.

        Whether a choice is so fast does not depend on any other, so bisection finds how fast it is.
        """
        every = [t for t in self.intervals() if t <= limit]
        return every[bisect_left(every, True, key=lambda t: self._keeps(chosen, t))]

    def _keeps(self, chosen: Sequence[Option], interval: int) -> bool:
        state = self._start()
        for node, option in zip(self.graph.nodes, chosen, strict=True):
            step = self._step(node, state, option, interval)
            if option.interval > interval or step is None:
                return False
            state = step[0]
        return True

    def shortfall(self, interval: int) -> str:
        """Say by how much the smallest design of an interval misses the device."""
        unbounded = Resources(*(1 << 60,) * 4)
        partial = self.smallest(interval, unbounded)
        if partial is None:
            return f"a design must keep an interval of {interval} cycles; no folding does"
        return over_capacity(_resources(partial.cells), self.bound, self.device.name)

    def _share(self, partial: _Partial) -> tuple[float, float]:
        bound = _cells(self.bound)
        shares = [a / b if b else float(a) for a, b in zip(partial.cells, bound, strict=True)]
        return max(shares), sum(shares)


def _options(graph: Graph, node: Node, device: Device) -> Iterable[Option]:
    """Yield the folds of a node with what they cost, dominated ones left out."""
    if not isinstance(node.op, StreamOperator):
        return
    alike: dict[tuple[tuple[Stream, ...], int], list[Option]] = {}
    for fold in node.op.folds(graph.operand_types(node)):
        unit = node_unit(graph, node, fold)
        if unit is None:
            yield Option(fold, (), 0, 1, (0, 0, 0, 0))
            return
        inputs, lanes = tuple(unit.inputs.values()), unit.outputs["out"].lanes
        cells = _cells(unit.resources.on(device))
        option = Option(fold, inputs, lanes, unit.interval, cells)
        alike.setdefault((inputs, lanes), []).append(option)
    for options in alike.values():
        kept: list[Option] = []
        for option in sorted(options, key=lambda o: (o.interval, o.cells)):
            if not any(_dominates(other.cells, option.cells) for other in kept):
                kept.append(option)
        yield from kept


@cache
def _converter(
    device: Device, element: IntType, elements: int, have: int, want: int
) -> tuple[int, Cells]:
    """Return the interval and cells of what turns one number of lanes into another."""
    units = regroup(element, elements, have, want)
    cells: Cells = (0, 0, 0, 0)
    for unit in units:
        cells = _plus(cells, _cells(unit.resources.on(device)))
    return max((unit.interval for unit in units), default=0), cells


@cache
def _forks(device: Device, element: IntType, lanes: int, count: int) -> Cells:
    """Return the cells of so many forks of a stream; they are as fast as what feeds them."""
    one = stream_fork(Stream(lanes, element, 1)).resources.on(device)
    return _cells(one * count)


def _pareto(partials: Sequence[_Partial]) -> list[_Partial]:
    """Keep what no other beats in every kind of cell."""
    kept: list[_Partial] = []
    for partial in sorted(partials, key=lambda p: p.cells):
        if not any(_dominates(other.cells, partial.cells) for other in kept):
            kept.append(partial)
    return kept


def _dominates(a: Cells, b: Cells) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a[2] <= b[2] and a[3] <= b[3]


def _plus(a: Cells, b: Cells) -> Cells:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


def _cells(resources: Resources) -> Cells:
    return resources.dsp, resources.bram, resources.lut, resources.ff


def _resources(cells: Cells) -> Resources:
    dsp, bram, lut, ff = cells
    return Resources(lut, ff, dsp, bram)


def _unwind(partial: _Partial) -> list[Option]:
    chosen: list[Option] = []
    step: _Partial | None = partial
    while step is not None and step.chosen is not None:
        chosen.append(step.chosen)
        step = step.before
    return chosen[::-1]
