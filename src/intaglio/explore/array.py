# SPDX-License-Identifier: Apache-2.0
"""The best array for a program on a device: shape, dataflow and buffers, proven.

Bounds grow sharper as fewer arrays are left. In closed form, every shape and dataflow gets the
cycles that it takes whatever its buffers (`array_bounds`). Of those that may be best, every size of
the buffers that fits is followed from counts alone (`array_tables`), which is never later than the
prediction. What is then earliest is predicted exactly, as a design; the search ends when no bound
is below the best prediction. Nothing is sampled, so that one is the optimum.

Source: best-first branch and bound (Land, Doig, "An automatic method of solving discrete
programming problems", Econometrica 28, 1960).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, product

import numpy as np
from tqdm import tqdm

from intaglio.arch.dataflow import capacity, over_capacity
from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.cost import array_resources, list_lengths
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.instructions import Instruction, Load, Store
from intaglio.arch.systolic.layers import network
from intaglio.arch.systolic.plan import Plan
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ModelError
from intaglio.explore.array_bounds import cycles, fold_cycles, shapes, sizes
from intaglio.explore.array_candidates import (
    ArrayExploration,
    Candidate,
    Space,
    nondominated,
)
from intaglio.explore.array_following import Tables
from intaglio.explore.array_kinds import kinds
from intaglio.explore.array_tables import MANY_WORDS, Followed, Groups, lengths, timing_of
from intaglio.hw.cost import Resources
from intaglio.ir.graph import Program

#: Arrays after the best one that are kept, each of another shape or dataflow.
RUNNERS_UP = 3
#: Sizes of a buffer: powers of two. A fold counts pixels, and so rows of sums, in 16 bits.
BUFFER_BITS = range(1, 17)
SUM_BITS = range(1, 16)


@dataclass(frozen=True)
class _Shape:
    """A shape with a dataflow: all sizes of its buffers at once. `kind` is that of its widths."""

    kind: int
    rows: int
    columns: int
    flow: Dataflow


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
        self.sizes = sizes(self.net, self.kinds[0].act_bits)
        self.predicted: dict[tuple[Array, Dataflow], Candidate | None] = {}
        self.bounded = 0

    def best(self, bound: Resources, keep: int = 1) -> list[Candidate]:
        """Return the fastest arrays within some cells, each of another shape or dataflow.

        Of those as fast as each other the one of fewest cells comes first.

        Raises:
            InfeasibleError: none fits.
        """
        ticket = count()
        heap: list[tuple[int, int, _Shape | tuple[Array, Dataflow]]] = [
            (least, next(ticket), shape) for least, shape in self._shapes(bound)
        ]
        heapq.heapify(heap)
        found = self._fastest(bound, keep)
        shown = tqdm(desc="arrays", unit=" shapes", delay=2, leave=False, disable=not self.progress)
        while heap and heap[0][0] < self._limit(found, keep):
            least, _, item = heapq.heappop(heap)
            if isinstance(item, _Shape):
                shown.set_postfix_str(f"at least {least:,} cycles", refresh=False)
                shown.update()
                followed = sorted(
                    self._follow(item, bound, self._limit(found, keep)), key=lambda pair: pair[0]
                )
                if not followed:
                    continue
                # one at once, as its cycles leave out other shapes; the rest where it fails
                for follows, array in followed[1:]:
                    heapq.heappush(heap, (follows, next(ticket), (array, item.flow)))
                item = followed[0][1], item.flow
            elif any(_kind(one) == _kind_of(*item) and one.cycles <= least for one in found):
                continue
            if self._predict(*item) is not None:
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

    def front(self, bound: Resources, points: int) -> list[Candidate]:
        """Return the fastest arrays within shares of the multipliers and of the block RAMs.

        Each is the fastest of its share; none is at least as bad as another in all costs.
        """
        for budgets in (
            [replace(bound, dsp=most) for most in _shares(bound.dsp, points)],
            [replace(bound, bram=most) for most in _shares(bound.bram, points)],
        ):
            with suppress(InfeasibleError):
                for budget in budgets:
                    self.best(budget)
        return nondominated(self._fitting(bound))

    def least_cycles(self, bound: Resources) -> dict[tuple[int, int], int]:
        """Return the bound in closed form of every shape that may fit, of the best dataflow."""
        found: dict[tuple[int, int], int] = {}
        for least, shape in self._shapes(bound):
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

    def _grid(self, bound: Resources) -> tuple[np.ndarray, np.ndarray]:
        if self.space.shape is None:
            return shapes(max(0, bound.dsp) * 4)
        rows, columns = self.space.shape
        return np.array([rows]), np.array([columns])

    def _shapes(self, bound: Resources) -> Iterator[tuple[int, _Shape]]:
        """Yield every shape and dataflow with its bound in closed form."""
        rows, columns = self._grid(bound)
        for kind, like in enumerate(self.kinds):
            fits = np.array(
                [
                    self._cells(_smallest(like, int(r), int(c))).fits(bound)
                    for r, c in zip(rows, columns, strict=True)
                ],
                bool,
            )
            some = rows[fits], columns[fits]
            for flow in self.space.dataflows:
                least = cycles(self.sizes, *some, (flow,), like, self.space.memory)
                for low, r, c in zip(least.tolist(), *some, strict=True):
                    yield low, _Shape(kind, int(r), int(c), flow)

    def _follow(self, shape: _Shape, bound: Resources, most: float) -> Iterator[tuple[int, Array]]:
        """Yield the arrays of a shape that fit and may be faster than `most`, with their bounds."""
        followed = self.followed[shape.kind]
        base = _smallest(self.kinds[shape.kind], shape.rows, shape.columns)
        base = replace(base, dataflows=frozenset({shape.flow}))
        sides = np.array([shape.rows]), np.array([shape.columns])
        folds = [int(fold_cycles(one, *sides, shape.flow)[0]) for one in self.sizes]
        rests = [sum(folds[index + 1 :]) for index in range(len(folds))]
        timing = timing_of(base, self.space.memory)
        for array, tables in self._sizes(base, shape, bound, folds, most):
            least = followed.cycles(timing, tables, rests, most)
            if least is None:
                self.bounded += 1
                continue
            cells = self._cells(array, lengths(tables))
            if cells.fits(bound):
                yield least, array
        followed.forget()

    def _sizes(
        self,
        base: Array,
        shape: _Shape,
        bound: Resources,
        folds: Sequence[int],
        most: float,
    ) -> Iterator[tuple[Array, Sequence[Tables]]]:
        """Yield all sizes of buffers that may fit; of those that work alike the least."""
        followed = self.followed[shape.kind]
        flows = [shape.flow] * len(self.net.layers)
        seen: set[tuple[int, ...]] = set()
        for sum_rows in powers(SUM_BITS):
            sums = replace(base, sum_rows=sum_rows)
            try:
                cuts = followed.cuts(replace(sums, weight_words=MANY_WORDS), flows)
            except ModelError:
                continue
            planned = self._plans(sums, shape, cuts)
            for weight_words in powers(BUFFER_BITS):
                sized = replace(sums, weight_words=weight_words)
                if not self._cells(sized).fits(bound):
                    break
                if followed.least(sized, cuts, folds) >= most:
                    self.bounded += 1
                    continue
                with suppress(ModelError):
                    some = followed.cuts(sized, flows)
                    words = followed.least_parameter_words(sized, some)
                    sized = replace(sized, parameter_words=words)
                    for act_rows, plans in planned:
                        tables = followed.joined(sized, flows, some, plans)
                        alike = tuple(map(id, tables))
                        if alike not in seen:
                            seen.add(alike)
                            yield replace(sized, act_rows=act_rows), tables

    def _plans(
        self, sums: Array, shape: _Shape, cuts: Sequence[Groups]
    ) -> list[tuple[int, list[Plan]]]:
        """Return the sizes of the memories of activations that hold a program, with its plans."""
        found: list[tuple[int, list[Plan]]] = []
        flows = [shape.flow] * len(self.net.layers)
        for act_rows in powers(BUFFER_BITS):
            with suppress(ModelError):
                plans = self.followed[shape.kind].plans(
                    replace(sums, act_rows=act_rows), flows, cuts
                )
                if all(list(map(id, plans)) != list(map(id, known)) for _, known in found):
                    found.append((act_rows, plans))
        return found

    def _predict(self, array: Array, flow: Dataflow) -> Candidate | None:
        """Predict an array exactly; None where its lists are too long."""
        key = array, flow
        if key not in self.predicted:
            self.predicted[key] = self._candidate(array, flow)
        return self.predicted[key]

    def _candidate(self, array: Array, flow: Dataflow) -> Candidate | None:
        flows = {layer.name: flow for layer in self.net.layers}
        try:
            design = ArrayDesign(self.program, self.device, array, flows, self.space.memory)
        except ModelError:
            return None
        beats = sum(item.beats for item in design.schedule.order if isinstance(item, Load | Store))
        cells = self._cells(array, list_lengths(design.schedule))
        return Candidate(array, flows, design.prediction.total, beats * array.beat_bits, cells)

    def _cells(
        self, array: Array, lists: Mapping[type[Instruction], int] | None = None
    ) -> Resources:
        return array_resources(array, lists).on(self.device)

    def _shortfall(self, bound: Resources) -> str:
        """Say by how much the smallest array misses, or that none can run the program."""
        shape = self.space.shape or (1, 1)
        found: list[tuple[float, Resources]] = []
        reason = ""
        for kind, flow in product(range(len(self.kinds)), self.space.dataflows):
            try:
                array, lists = self._least(_Shape(kind, *shape, flow))
            except ModelError as error:
                reason = str(error)
                continue
            cells = self._cells(array, lists)
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

    def _least(self, shape: _Shape) -> tuple[Array, dict[type[Instruction], int]]:
        """Return an array of the least buffers that run the program, and how long its lists are."""
        followed = self.followed[shape.kind]
        flows = [shape.flow] * len(self.net.layers)
        array = _smallest(self.kinds[shape.kind], shape.rows, shape.columns)
        most = 1 << BUFFER_BITS[-1]
        array = replace(
            array,
            dataflows=frozenset({shape.flow}),
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
        words = followed.least_parameter_words(array, followed.cuts(array, flows))
        array = replace(array, parameter_words=words)
        return array, lengths(followed.tables(array, flows))


def best_array(
    program: Program,
    device: Device,
    space: Space | None = None,
    *,
    fill: float = 1.0,
    logic: float | None = None,
    points: int = 0,
    progress: bool = False,
) -> ArrayExploration:
    """Return the array of fewest cycles that fits a device, proven, and what comes next to it.

    Args:
        program: what to run.
        device: what it has to fit.
        space: which arrays are looked at: all by default.
        fill: share of multipliers and block RAMs that may be taken.
        logic: that of tables and flip-flops, where it is another.
        points: shares of multipliers and of block RAMs that the front is searched for at; with
            none, it is made of what the search for the best predicts.
        progress: show it, where it takes longer than two seconds.

    Exactness: optimal in cycles, for a memory that answers as `space` says; cells are estimates.

    Raises:
        InfeasibleError: no array fits; the text says by how much.
        ModelError: a layer cannot be run by any array.
    """
    search = ArraySearch(program, device, space or Space(), progress=progress)
    bound = capacity(device, fill, logic)
    best, *others = search.best(bound, 1 + RUNNERS_UP)
    front = search.front(bound, points)
    return ArrayExploration(
        search.design(best),
        tuple(front),
        tuple(others),
        search.least_cycles(bound),
        len(search.predicted),
        search.bounded,
    )


def powers(bits: range) -> list[int]:
    """Return the powers of two of so many bits."""
    return [1 << bit for bit in bits]


def _shares(most: int, points: int) -> list[int]:
    """Return so many numbers of cells from all to few, evenly on a scale of ratios."""
    found = np.geomspace(1, max(1, most), points + 1)[1:]
    return sorted({int(part) for part in found}, reverse=True)


def _excess(cells: Resources, bound: Resources) -> float:
    """Return how many times the scarcest kind of cells is asked for."""
    return max(need / max(1, bound.counts[kind]) for kind, need in cells.counts.items())


def _kind(one: Candidate) -> tuple[int, int, str]:
    """Return what runners-up differ in: the shape, and the dataflow."""
    return one.array.rows, one.array.columns, one.dataflow


def _kind_of(array: Array, flow: Dataflow) -> tuple[int, int, str]:
    return array.rows, array.columns, flow.short


def _rank(one: Candidate) -> tuple[int, int, int, int]:
    """Order by cycles, then by what is scarce."""
    return one.cycles, one.resources.bram, one.resources.dsp, one.traffic


def _smallest(like: Array, rows: int, columns: int) -> Array:
    """Return an array of a shape with the least buffers there are."""
    least = 1 << BUFFER_BITS[0]
    return replace(
        like,
        rows=rows,
        columns=columns,
        act_rows=least,
        weight_words=least,
        parameter_words=least,
        sum_rows=least,
    )
