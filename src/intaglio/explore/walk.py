# SPDX-License-Identifier: Apache-2.0
"""One design as a walk through the steps of its choices, and the cheapest of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.explore.lanes import Array, Choices, State


@dataclass(frozen=True)
class Walk:
    """The option taken at each step, the cells they cost in all, and the slowest's interval."""

    options: tuple[int, ...]
    cells: Array
    interval: int


def cheapest(choices: Choices, prices: Array, interval: int) -> Walk | None:
    """Return the design of least price that keeps an interval, whatever its size, or None.

    Shapes: prices [kinds].
    """
    rests = choices.rests(prices, interval)
    starts = choices.start @ prices + rests[0]
    first = int(starts.argmin())
    if not np.isfinite(starts.flat[first]):
        return None
    state: State = (first,)
    taken = []
    for step, rest in zip(choices.steps, rests[1:], strict=True):
        found, spent = step.choices(state, interval)
        best = int(found[(spent @ prices + step.behind(rest, state, found)).argmin()])
        taken.append(best)
        state = step.after(state, best)
    return walk(choices, first, taken)


def walk(choices: Choices, first: int, taken: Sequence[int]) -> Walk:
    """Add up a walk that starts with the input's lanes of an index."""
    state: State = (first,)
    total = choices.start[first].copy()
    slowest = 0
    for step, option in zip(choices.steps, taken, strict=True):
        slowest = max(slowest, int(step.interval[option]))
        total = total + step.cells[option]
        for reading in step.readings:
            pair = state[reading.axis], reading.wanted[option]
            slowest = max(slowest, int(reading.slots[pair]))
            total = total + reading.cells[pair]
        state = step.after(state, option)
    return Walk(tuple(taken), total, slowest)
