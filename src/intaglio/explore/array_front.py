# SPDX-License-Identifier: Apache-2.0
"""All arrays of which none is at least as good as another in all costs, proven.

Looked at is what the search for the best looks at: every shape that fits the device, every power of
two as size of activations, weights and sums, every dataflow of all layers or of each. Costs are
cycles, multipliers, block RAMs and traffic. Before an array is followed, block RAMs and traffic are
known, or a bound of each; so are cycles that it takes in closed form. If what is found already is
as good in all of them, it is left out; if not, it is followed only up to the cycles from which on
it would be. Nothing is sampled: for every array there is one in the front that is at least as good
in all costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.explore.array_candidates import Candidate
from intaglio.explore.array_flows import BEATS, EVERYTHING, WORDS, Course, Rests, fastest
from intaglio.explore.array_following import Numbers
from intaglio.explore.array_search import ArraySearch, Flows, Shape, built, parameter_words
from intaglio.explore.array_sizes import Cuts, Plans, Sized, all_sizes
from intaglio.hw.cost import Resources

#: Counts of a layer in a dataflow that it cannot have, and cycles where there is no limit.
_NEVER = 1 << 40


def whole_front(search: ArraySearch, bound: Resources) -> list[Candidate]:
    """Return the front of all arrays within some cells, the fastest first; of equals one."""
    front = _Front(search, bound)
    # none is left out because of one of more multipliers, so the fewest come first
    shapes = sorted(
        search.shapes(bound), key=lambda pair: (pair[1].rows * pair[1].columns, pair[0])
    )
    with tqdm(
        shapes, "front", unit=" shapes", delay=2, leave=False, disable=not search.progress
    ) as shown:
        for least, shape in shown:
            shown.set_postfix_str(f"{len(front.found):,} arrays", refresh=False)
            front.look(shape, least)
    return sorted(front.found, key=lambda one: one.costs)


class _Front:
    """What is found so far.

    Shapes: costs [found, 4], as `Candidate.costs`.
    """

    def __init__(self, search: ArraySearch, bound: Resources) -> None:
        self.search, self.bound = search, bound
        self.found: list[Candidate] = []
        self.costs = np.zeros((0, 4), np.int64)

    def limit(self, multipliers: int, bram: int, traffic: int) -> int:
        """Return the cycles that an array of at least these costs has to be below."""
        as_good = (self.costs[:, 1:] <= (multipliers, bram, traffic)).all(axis=1)
        return int(self.costs[as_good, 0].min(initial=_NEVER))

    def add(self, one: Candidate) -> None:
        """Take an array in, unless another one is as good, and drop those that it is as good as."""
        if one.cycles >= self.limit(*one.costs[1:]):
            return
        kept = np.logical_not((self.costs >= one.costs).all(axis=1)).tolist()
        self.found = [other for other, keep in zip(self.found, kept, strict=True) if keep]
        self.found.append(one)
        self.costs = np.vstack((self.costs[kept], one.costs))

    def look(self, shape: Shape, least: int) -> None:
        """Take in all arrays of a shape, which take some cycles at least."""
        search = self.search
        followed, timings, sets = (
            search.followed[shape.kind],
            search.timings(shape),
            search.sets_of(shape),
        )
        beat_bits, cells = search.space.beat_bits, shape.rows * shape.columns
        traffic = int(shape.least.beats[shape.index]) * beat_bits
        folds = shape.least.folds[:, shape.index]
        rests = Rests(*shape.least.rests(shape.index), search.live, followed.rows)
        thriftiest = search.thriftiest(shape)
        if self.limit(cells, search.blocks(thriftiest), traffic) <= least:
            return

        def worse(array: Array, cuts: Cuts, plans: Plans) -> bool:
            some = [cut.values() for cut in cuts]
            counts, folded = followed.least_counts(array, cuts, plans)
            few = _total(counts)
            limit = self.limit(cells, self._blocks(array, few), int(few[BEATS]) * beat_bits)
            cycles = max(least, folded)
            return limit <= cycles or limit <= followed.least(array, timings[0], some, folds)

        room = search.blocks, self.bound.bram
        for sized in all_sizes(followed, thriftiest, shape.flows, *room, worse=worse):
            counts = _counts(sized, shape.flows)
            for flows, timing in zip(sets, timings, strict=True):
                some = np.array([counts[flow] for flow in flows])
                self._assign(sized, flows, some, timing, rests, least)
        followed.forget()

    def _assign(
        self,
        sized: Sized,
        flows: Flows,
        counts: Numbers,
        timing: Numbers,
        rests: Rests,
        least: int,
    ) -> None:
        """Take in an array with every choice of some dataflows that may belong to the front.

        Shapes: counts [flows, layers, 6].
        """
        few = _total(counts.min(axis=0))
        if few[BEATS] >= _NEVER:
            return
        many = _total(np.where(counts < _NEVER, counts, 0).max(axis=0))
        array = replace(sized.array, dataflows=frozenset(flows))
        traffic = int(few[BEATS]) * array.beat_bits
        limit = self.limit(array.multipliers, self._blocks(array, few), traffic)
        if limit <= least:
            return
        part = sized.to(flows)
        # lists count in block RAMs; only where logic is what does not suffice, each is another case
        rounds = [
            ((*self._differ(array, few, many), BEATS), False),
            (tuple(range(BEATS + 1)), True),
        ]
        for compared, equal in rounds if self.search.exact else [(EVERYTHING, True)]:
            if self._take(fastest(part.layers, timing, rests, limit, compared, equal=equal), part):
                break

    def _blocks(self, array: Array, counts: Numbers) -> int:
        """Return the block RAMs of an array with lists of such lengths."""
        words = parameter_words(int(counts[WORDS]))
        memories = self.search.blocks(replace(array, parameter_words=words))
        return memories + sum(self._lists(array, counts))

    def _lists(self, array: Array, counts: Numbers) -> list[int]:
        return [
            self.search.list_blocks(array, unit, length)
            for unit, length in enumerate(counts[:WORDS].tolist())
        ]

    def _differ(self, array: Array, few: Numbers, many: Numbers) -> list[int]:
        """Return of which counts the block RAMs depend, from the fewest to the most."""
        pairs = zip(self._lists(array, few), self._lists(array, many), strict=True)
        found = [unit for unit, (low, high) in enumerate(pairs) if low < high]
        few_words, many_words = (parameter_words(int(some[WORDS])) for some in (few, many))
        return [*found, WORDS] if few_words < many_words else found

    def _take(self, courses: Sequence[Course], sized: Sized) -> bool:
        """Take in an array with some dataflows of its layers; tell whether all fitted."""
        fitted = True
        for course in courses:
            array = built(sized.array, course)
            if array.dataflows != sized.array.dataflows:
                continue  # it is looked at where it is built for fewer
            cells = self.search.course_cells(array, course)
            if cells is None or not cells.fits(self.bound):
                fitted = False
            elif self.search.exact:
                self.add(self.search.candidate(array, course, cells))
            elif (one := self.search.predict(array, course.flows)) is not None:
                self.add(one)
        return fitted or len(sized.array.dataflows) == 1


def _counts(sized: Sized, flows: Flows) -> dict[Dataflow, Numbers]:
    """Return the counts of each layer in each dataflow; where it has none, too many."""
    none = np.full(BEATS + 1, _NEVER)
    return {
        flow: np.array([some[flow].counts if flow in some else none for some in sized.layers])
        for flow in flows
    }


def _total(counts: Numbers) -> Numbers:
    """Return the counts of all layers; words of parameters are those of the one with most."""
    total: Numbers = counts.sum(axis=0)
    total[WORDS] = counts[:, WORDS].max()
    return total
