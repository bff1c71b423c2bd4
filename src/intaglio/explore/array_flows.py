# SPDX-License-Identifier: Apache-2.0
"""The best dataflow of each layer on one array: a dynamic program over what its units have done.

Layers are followed one after the other, each in every dataflow, from every state that is left. Of
two states after the same layer one is dropped where no time of the other is later: times are sums
and maxima of times before, so nothing that comes after can be later either, and the other is at
least as good whatever dataflows the rest has. Dropped is also what cannot end before a bound. What
is left at the end holds an assignment of the fewest cycles, although not all are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np

from intaglio.arch.systolic.array import Dataflow
from intaglio.explore.array_following import FOLD, STATE, Numbers, Tables, follow, no_later, start

#: The tables of a layer in each dataflow that it can have.
Choices = Mapping[Dataflow, Tables]
#: Where counts of `Tables` hold words of parameters, and beats.
WORDS, BEATS = 4, 5
#: A course of layers is a row of integers: its state, the end of its last store, its counts, the
#: row that it goes on from, the dataflow of its last layer, and what is written.
_END, _COUNTS, _FROM, _FLOW, _WRITTEN = STATE, STATE + 1, STATE + 7, STATE + 8, STATE + 9
#: What of two courses' counts is compared before one stands for the other: nothing; lengths of
#: lists and words of parameters, which have to be equal; everything, so that none stands for one.
NOTHING, LISTS = (), tuple(range(WORDS + 1))
EVERYTHING = None
#: Later than everything.
_NEVER = 1 << 60


@dataclass(frozen=True, eq=False)
class Course:
    """The dataflow of each layer, when the last one is stored, and what all take.

    Shapes: counts as in `Tables`, words of parameters those of the layer with most.
    """

    flows: tuple[Dataflow, ...]
    end: int
    counts: Numbers


@dataclass(frozen=True, eq=False)
class Rests:
    """What comes after each layer at least, of a shape: cycles of folds, and after its last store.

    `live` are the rows that are still read after it; `rows` is the number of all.
    """

    folds: Numbers
    stores: Numbers
    live: Sequence[Numbers]
    rows: int


def fastest(
    layers: Sequence[Choices],
    timing: Numbers,
    rests: Rests,
    most: float,
    compared: Sequence[int] | None = NOTHING,
    *,
    equal: bool = True,
) -> list[Course]:
    """Return courses of all layers that end before `most`, the fastest first.

    One stands for another where it is no later and its counts that are compared are equal, or at
    most the other's.

    Exactness: for each course before `most` there is one that stands for it, or it is there.
    """
    before = int(min(most, _NEVER))
    columns = np.array(compared or (), np.int64) + _COUNTS
    how = _NEVER if compared is None else int(equal)
    found = np.zeros((1, _WRITTEN + rests.rows), np.int64)
    found[0, :STATE] = start()
    steps = []
    for index, choices in enumerate(layers):
        made = np.empty((len(found) * len(choices), found.shape[1]), np.int64)
        for number, (flow, tables) in enumerate(choices.items()):
            _extend(found, made, number * len(found), timing, tables, flow.value)
        rest = rests.folds[index], rests.stores[index]
        found = _kept(made, rests.live[index], *rest, before, columns, how)
        if not len(found):
            return []
        steps.append(found[:, _FROM : _FLOW + 1])
    return [
        Course(_flows(steps, index), int(row[_END]), row[_COUNTS : _COUNTS + BEATS + 1])
        for index, row in enumerate(found)
    ]


def _flows(steps: Sequence[Numbers], index: int) -> tuple[Dataflow, ...]:
    """Return the dataflows of a course from what each layer goes on from."""
    flows = []
    for step in reversed(steps):
        index, flow = step[index].tolist()
        flows.append(Dataflow(flow))
    return tuple(flows[::-1])


@numba.njit(cache=True)
def _extend(
    courses: Numbers, made: Numbers, first: int, timing: Numbers, tables: Tables, flow: int
) -> None:
    """Follow a layer in a dataflow after each course, into rows of `made` from the first on."""
    for index in range(len(courses)):
        row = made[first + index]
        row[:] = courses[index]
        row[_END] = follow(row[:STATE], row[_WRITTEN:], timing, tables)
        words = max(row[_COUNTS + WORDS], tables.counts[WORDS])
        row[_COUNTS : _COUNTS + BEATS + 1] += tables.counts
        row[_COUNTS + WORDS] = words
        row[_FROM], row[_FLOW] = index, flow


@numba.njit(cache=True)
def _kept(
    made: Numbers,
    live: Numbers,
    folds: int,
    stores: int,
    before: int,
    columns: Numbers,
    how: int,
) -> Numbers:
    """Return, the fastest first, the courses that can end in time and that none stands for."""
    found = np.empty(len(made), np.int64)
    count = 0
    for index in np.argsort(made[:, _END], kind="mergesort"):
        row = made[index]
        if max(row[FOLD] + folds, row[_END] + stores) >= before:
            continue
        stands = False
        for other in found[:0] if how == _NEVER else found[:count]:
            one = made[other]
            if _covers(one, row, columns, how) and no_later(
                one[:STATE], one[_WRITTEN:], row[:STATE], row[_WRITTEN:], live
            ):
                stands = True
                break
        if not stands:
            found[count] = index
            count += 1
    return made[found[:count]]


@numba.njit(cache=True, inline="always")
def _covers(one: Numbers, other: Numbers, columns: Numbers, equal: int) -> bool:
    """Tell whether some columns of one course are equal to, or at most, those of another."""
    for column in columns:
        if one[column] > other[column] or (equal and one[column] < other[column]):
            return False
    return True
