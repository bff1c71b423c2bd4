# SPDX-License-Identifier: Apache-2.0
"""The search for the best array: shape, dataflow of each layer and buffers, proven.

Bounds grow sharper as fewer arrays are left. In closed form, every shape gets the cycles that it
takes whatever its buffers and dataflows are (`array_bounds`). Of those that may be best, every size
of the buffers that fits (`array_sizes`) is followed from counts alone, in the best dataflow of each
layer (`array_flows`); that is never later than the prediction. What is then earliest is predicted
exactly, as a design; the search ends when no bound is below the best prediction. Nothing is
sampled, so that one is the optimum.

Source: best-first branch and bound (Land, Doig, "An automatic method of solving discrete
programming problems", Econometrica 28, 1960).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations, count, product

import numpy as np
from tqdm import tqdm

from intaglio.arch.dataflow import over_capacity
from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.cost import (
    act_memories,
    array_resources,
    list_lengths,
    parameter_memory,
    sum_memories,
    weight_memory,
)
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.instructions import Instruction, Load, Store, width
from intaglio.arch.systolic.layers import network
from intaglio.arch.systolic.schedule import UNITS
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.explore.array_bounds import LONGEST, Least, sizes
from intaglio.explore.array_candidates import Candidate, Space, dataflow_name
from intaglio.explore.array_flows import (
    BEATS,
    EVERYTHING,
    LISTS,
    NOTHING,
    WORDS,
    Course,
    Rests,
    fastest,
)
from intaglio.explore.array_following import FOLD_DELAY, Numbers, follows_exactly
from intaglio.explore.array_kinds import kinds
from intaglio.explore.array_sizes import (
    BUFFER_BITS,
    SUM_BITS,
    Cuts,
    Sized,
    all_sizes,
    powers,
    smallest,
)
from intaglio.explore.array_tables import Followed, timing_of
from intaglio.hw.cost import Resources
from intaglio.hw.memory import rom
from intaglio.ir.graph import Program

#: Instructions that a unit's list must be shorter than.
MOST_INSTRUCTIONS = 1 << 16

#: The dataflow of each layer.
Flows = tuple[Dataflow, ...]


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape with dataflows that layers may have: all sizes of its buffers at once.

    `kind` is that of its widths; its bounds are number `index` of `least`.
    """

    kind: int
    rows: int
    columns: int
    flows: Flows
    least: Least
    index: int


class ArraySearch:
    """A program, a device and a space; asked as often as one likes, with less of the device."""

    def __init__(
        self, program: Program, device: Device, space: Space, *, progress: bool = False
    ) -> None:
        self.progress = progress
        self.program, self.device, self.space = program, device, space
        self.net = network(program)
        self.kinds = kinds(self.net, space.beat_bits)
        self.followed = [Followed(self.net, like, space.memory) for like in self.kinds]
        self.live = self.followed[0].live()
        self.sizes = sizes(self.net, self.kinds[0].act_bits)
        self.exact = follows_exactly(self.kinds[0], space.memory)
        self.predicted: dict[tuple[Array, Flows], Candidate | None] = {}
        self.bounded = 0
        self._shapes: dict[Resources, list[tuple[int, Shape]]] = {}
        self._blocks: dict[Hashable, int] = {}

    def best(self, bound: Resources, keep: int = 1) -> list[Candidate]:
        """Return the fastest arrays within some cells, each of another shape or dataflow.

        Of those as fast as each other the one of fewest cells comes first.

        Raises:
            InfeasibleError: none fits.
        """
        ticket = count()
        heap: list[tuple[int, int, Shape | tuple[Array, Flows]]] = [
            (least, next(ticket), shape) for least, shape in self.shapes(bound)
        ]
        heapq.heapify(heap)
        found = self._fastest(bound, keep)
        shown = tqdm(desc="arrays", unit=" shapes", delay=2, leave=False, disable=not self.progress)
        while heap and heap[0][0] < self._limit(found, keep):
            least, _, item = heapq.heappop(heap)
            if isinstance(item, Shape):
                shown.set_postfix_str(f"at least {least:,} cycles", refresh=False)
                shown.update()
                limit = self._limit(found, keep)
                followed = sorted(self._follow(item, bound, limit), key=lambda pair: pair[0])
                if not followed:
                    continue
                # one at once, as its cycles leave out other shapes; the rest where it fails
                for follows, one in followed[1:]:
                    heapq.heappush(heap, (follows, next(ticket), one))
                item = followed[0][1]
            elif any(_kind(one) == _kind_of(*item) and one.cycles <= least for one in found):
                continue
            if self.predict(*item) is not None:
                found = self._fastest(bound, keep)
        shown.close()
        self.bounded += len(heap)
        if not found:
            raise InfeasibleError(self._shortfall(bound))
        return found

    def _limit(self, found: Sequence[Candidate], keep: int) -> float:
        """Return the cycles that a further array has to be below."""
        return found[-1].cycles if len(found) == keep else np.inf

    def _fastest(self, bound: Resources, keep: int) -> list[Candidate]:
        """Return the fastest that were predicted, each of another shape or dataflow."""
        found: dict[tuple[int, int, str], Candidate] = {}
        for one in sorted(self._fitting(bound), key=_rank):
            found.setdefault(_kind(one), one)
        return list(found.values())[:keep]

    def least_cycles(self, bound: Resources) -> dict[tuple[int, int], int]:
        """Return the bound in closed form of every shape that may fit, of the best dataflows."""
        found: dict[tuple[int, int], int] = {}
        for least, shape in self.shapes(bound):
            at = shape.rows, shape.columns
            found[at] = min(least, found.get(at, least))
        return found

    def design(self, one: Candidate) -> ArrayDesign:
        """Return the design of a candidate."""
        return ArrayDesign(self.program, self.device, one.array, one.flows, self.space.memory)

    # --- from shapes to predictions ---------------------------------------------------------------

    def _fitting(self, bound: Resources) -> list[Candidate]:
        found = (one for one in self.predicted.values() if one is not None)
        return [one for one in found if one.resources.fits(bound)]

    def shapes(self, bound: Resources) -> list[tuple[int, Shape]]:
        """Return every shape that may fit with its bound in closed form."""
        found = self._shapes.get(bound)
        if found is None:
            found = self._shapes[bound] = list(self._bounded_shapes(bound))
        return found

    def _bounded_shapes(self, bound: Resources) -> Iterator[tuple[int, Shape]]:
        for kind, like in enumerate(self.kinds):
            sides = list(self._sides(like, bound))
            rows, columns = np.array(sides, np.int64).reshape(-1, 2).T
            every = self.space.dataflows
            for flows in [every] if self.space.mixed else [(flow,) for flow in every]:
                least = Least.of(self.sizes, rows, columns, flows, like, self.space.memory)
                for index, cycles in enumerate(least.cycles.tolist()):
                    yield cycles, Shape(kind, *sides[index], flows, least, index)

    def sets_of(self, shape: Shape) -> list[Flows]:
        """Return the dataflows that an array of a shape may be built for, the fewest first."""
        many = range(1, len(shape.flows) + 1)
        return [some for number in many for some in combinations(shape.flows, number)]

    def timings(self, shape: Shape) -> list[Numbers]:
        """Return what has to be known of each of these to follow it."""
        base = smallest(self.kinds[shape.kind], shape.rows, shape.columns)
        bases = [replace(base, dataflows=frozenset(flows)) for flows in self.sets_of(shape)]
        return [timing_of(one, self.space.memory) for one in bases]

    def _sides(self, like: Array, bound: Resources) -> Iterator[tuple[int, int]]:
        """Yield the rows and columns with which some dataflow fits with the least buffers."""
        sides = self.space.shape
        for r in range(1, LONGEST + 1) if sides is None else sides[:1]:
            for c in range(1, LONGEST + 1) if sides is None else sides[1:]:
                multipliers = []
                for one in self._singles(smallest(like, r, c)):
                    cells = self.cells(one)
                    multipliers.append(cells.dsp)
                    if cells.fits(bound):
                        yield r, c
                        break
                if min(multipliers) > bound.dsp:
                    break  # more columns take more

    def _singles(self, array: Array) -> list[Array]:
        """Return an array as it is built for each dataflow alone."""
        return [replace(array, dataflows=frozenset({flow})) for flow in self.space.dataflows]

    def _follow(
        self, shape: Shape, bound: Resources, most: float
    ) -> list[tuple[int, tuple[Array, Flows]]]:
        """Return the arrays of a shape that fit and may be faster than `most`, with their bounds.

        Of arrays for the same dataflows only the fastest, of those the one of fewest block RAMs, if
        it is faster than those for fewer of them; where cycles are bounds, all.
        """
        followed, sets = self.followed[shape.kind], self.sets_of(shape)
        timings = self.timings(shape)
        soonest = min(timings, key=lambda timing: int(timing[FOLD_DELAY]))
        rests = Rests(*shape.least.rests(shape.index), self.live, followed.rows)
        folds = shape.least.folds[:, shape.index]
        limits = [most] * len(sets)
        more = [[n for n, some in enumerate(sets) if set(some) > set(fewer)] for fewer in sets]

        def late(array: Array, cuts: Cuts) -> bool:
            least = followed.least(array, soonest, [some.values() for some in cuts], folds)
            self.bounded += least >= max(limits)
            return least >= max(limits)

        found: list[list[tuple[int, int, tuple[Array, Flows]]]] = [[] for _ in sets]
        for sized in all_sizes(
            followed, self.thriftiest(shape), shape.flows, self.blocks, bound.bram, late
        ):
            if len(sets) > 1 and not fastest(sized.layers, soonest, rests, max(limits)):
                self.bounded += 1
                continue
            for number, (flows, timing) in enumerate(zip(sets, timings, strict=True)):
                some = self._assigned(sized.to(flows), timing, rests, bound, limits[number])
                self.bounded += not some
                found[number] += some
                if some and self.exact:
                    found[number] = [min(found[number], key=lambda one: one[:2])]
                    end, *_ = found[number][0]
                    limits[number] = min(limits[number], end + 1)
                    for larger in more[number]:
                        limits[larger] = min(limits[larger], end)
        followed.forget()
        return [
            (end, one)
            for limit, some in zip(limits, found, strict=True)
            for end, _, one in some
            if end < limit or not self.exact
        ]

    def _assigned(
        self, sized: Sized, timing: Numbers, rests: Rests, bound: Resources, most: float
    ) -> list[tuple[int, int, tuple[Array, Flows]]]:
        """Return the array in the best dataflows of its layers if it fits: cycles, block RAMs, it.

        Nothing where they do without one of the array's: it is built for fewer then. Lists count
        only where the fastest assignment's are too long. Where cycles are bounds, all are returned.
        """
        found = []
        for compared in (NOTHING, LISTS) if self.exact else (EVERYTHING,):
            some = fastest(sized.layers, timing, rests, most, compared)
            for course in some:
                array = built(sized.array, course)
                cells = self.course_cells(array, course)
                if cells is None or not cells.fits(bound):
                    continue
                if array.dataflows == sized.array.dataflows:
                    found.append((course.end, cells.bram, (array, course.flows)))
                if self.exact:
                    return found
            if not some or len(sized.array.dataflows) == 1 or not self._may_fit(sized, bound):
                break
        return found

    def _may_fit(self, sized: Sized, bound: Resources) -> bool:
        """Tell whether the block RAMs suffice for the shortest lists that there may be."""
        least = [
            reduce(np.minimum, (tables.counts for tables in some.values())) for some in sized.layers
        ]
        lists = dict(zip(UNITS, np.sum(least, axis=0).tolist(), strict=False))
        return self.cells(sized.array, lists).bram <= bound.bram

    def course_cells(self, array: Array, course: Course) -> Resources | None:
        """Return the cells of an array with a course's lists; None where they are too long."""
        lists = dict(zip(UNITS, course.counts.tolist(), strict=False))
        return self.cells(array, lists) if max(lists.values()) < MOST_INSTRUCTIONS else None

    def blocks(self, array: Array) -> int:
        """Return the block RAMs of an array's memories."""
        shape = array.rows, array.columns, array.code_bits, array.dataflows
        return (
            self._memory(act_memories, array, array.act_rows, shape)
            + self._memory(sum_memories, array, array.sum_rows, shape)
            + self._memory(weight_memory, array, array.weight_words, shape)
            + self._memory(parameter_memory, array, array.parameter_words, shape)
        )

    def _memory(
        self, take: Callable[[Array], Resources], array: Array, size: int, shape: Hashable
    ) -> int:
        """Return the block RAMs of a memory, which depend on its size and an array's shape."""
        key = take, size, shape
        found = self._blocks.get(key)
        if found is None:
            found = self._blocks[key] = take(array).on(self.device).bram
        return found

    def list_blocks(self, array: Array, unit: int, length: int) -> int:
        """Return the block RAMs of a unit's list."""
        found = self._blocks.get((unit, length))
        if found is None:
            list_ = rom(width(UNITS[unit], array.act_bits), length)
            found = self._blocks[unit, length] = list_.on(self.device).bram
        return found

    def thriftiest(self, shape: Shape) -> Array:
        """Return the array of a shape and one dataflow that takes the fewest block RAMs.

        Whatever its buffers are, none of other dataflows takes fewer with the same.
        """
        base = smallest(self.kinds[shape.kind], shape.rows, shape.columns)
        some = (replace(base, dataflows=frozenset({flow})) for flow in shape.flows)
        return min(some, key=self.blocks)

    def predict(self, array: Array, flows: Flows) -> Candidate | None:
        """Predict an array exactly; None where its lists are too long."""
        key = array, flows
        if key not in self.predicted:
            self.predicted[key] = self._candidate(array, flows)
        return self.predicted[key]

    def _candidate(self, array: Array, flows: Flows) -> Candidate | None:
        named = self._named(flows)
        try:
            design = ArrayDesign(self.program, self.device, array, named, self.space.memory)
        except ModelError:
            return None
        beats = sum(item.beats for item in design.schedule.order if isinstance(item, Load | Store))
        cells = self.cells(array, list_lengths(design.schedule))
        return Candidate(array, named, design.prediction.total, beats * array.beat_bits, cells)

    def candidate(self, array: Array, course: Course, cells: Resources) -> Candidate:
        """Return an array with a course as a candidate, where what is followed is exact."""
        beats = int(course.counts[BEATS])
        return Candidate(
            array, self._named(course.flows), course.end, beats * array.beat_bits, cells
        )

    def _named(self, flows: Flows) -> dict[str, Dataflow]:
        return {layer.name: flow for layer, flow in zip(self.net.layers, flows, strict=True)}

    def cells(
        self, array: Array, lists: Mapping[type[Instruction], int] | None = None
    ) -> Resources:
        """Return the cells of an array with lists of some lengths, or without them."""
        return array_resources(array, lists).on(self.device)

    def _shortfall(self, bound: Resources) -> str:
        """Say by how much the smallest array misses, or that none can run the program."""
        shape = self.space.shape or (1, 1)
        found: list[tuple[float, Resources]] = []
        reason = ""
        for kind, flow in product(range(len(self.kinds)), self.space.dataflows):
            try:
                array, lists = self._least(kind, shape, flow)
            except ModelError as error:
                reason = str(error)
                continue
            cells = self.cells(array, lists)
            if cells.fits(bound):  # with lists of more than 65,535 instructions
                reason = (
                    f"a unit must take less than 65,536 instructions, not {max(lists.values())}"
                )
                continue
            found.append((_excess(cells, bound), cells))
        if not found:
            return f"{self.net.name} must fit an array: {reason}"
        _, smallest = min(found, key=lambda pair: pair[0])
        return f"{over_capacity(smallest, bound, self.device.name)}; or another --array"

    def _least(
        self, kind: int, shape: tuple[int, int], flow: Dataflow
    ) -> tuple[Array, dict[type[Instruction], int]]:
        """Return an array of the least buffers that run the program, and how long its lists are."""
        followed = self.followed[kind]
        flows = [flow] * len(self.net.layers)
        array = smallest(self.kinds[kind], *shape)
        most = 1 << BUFFER_BITS[-1]
        array = replace(
            array,
            dataflows=frozenset({flow}),
            act_rows=most,
            weight_words=most,
            sum_rows=1 << SUM_BITS[-1],
        )
        followed.tables(array, flows)  # if that fails, nothing else needs to be tried

        def least(smaller: Iterable[Array]) -> Array:
            for some in smaller:
                with suppress(ModelError):
                    followed.tables(some, flows)
                    return some
            return array

        array = least(replace(array, sum_rows=few) for few in powers(SUM_BITS))
        array = least(replace(array, weight_words=few) for few in powers(BUFFER_BITS))
        array = least(replace(array, act_rows=few) for few in powers(BUFFER_BITS))
        counts = np.array([tables.counts for tables in followed.tables(array, flows)])
        array = replace(array, parameter_words=parameter_words(int(counts[:, WORDS].max())))
        return array, dict(zip(UNITS, counts.sum(axis=0).tolist(), strict=False))


def built(array: Array, course: Course) -> Array:
    """Return an array with the dataflows of a course and room for its parameters."""
    words = parameter_words(int(course.counts[WORDS]))
    return replace(array, dataflows=frozenset(course.flows), parameter_words=words)


def parameter_words(most: int) -> int:
    """Return the least size of the memory of parameters for layers of so many words at most."""
    return max(2, 1 << (2 * most - 1).bit_length())


def _excess(cells: Resources, bound: Resources) -> float:
    """Return how many times the scarcest kind of cells is asked for."""
    return max(need / max(1, bound.counts[kind]) for kind, need in cells.counts.items())


def _kind(one: Candidate) -> tuple[int, int, str]:
    """Return what runners-up differ in: the shape, and the dataflow."""
    return one.array.rows, one.array.columns, one.dataflow


def _kind_of(array: Array, flows: Flows) -> tuple[int, int, str]:
    return array.rows, array.columns, dataflow_name(flows)


def _rank(one: Candidate) -> tuple[int, int, int, int]:
    """Order by cycles, then by what is scarce."""
    return one.cycles, one.resources.bram, one.resources.dsp, one.traffic
