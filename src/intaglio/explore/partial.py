# SPDX-License-Identifier: Apache-2.0
"""Partial designs, extended node by node and dropped as soon as they cannot win.

What prices alone leave open is decided here, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.explore.lanes import Array, Choices, State
from intaglio.explore.walk import Walk, walk

#: Sums of prices are off by less than this part of themselves.
ROUNDING = 1e-9


@dataclass(frozen=True)
class _Front:
    """Partial designs that end in one state, none at least as good as another in every kind.

    Shapes: `cells` [designs, kinds]; `origin` [designs, 3]: index of the state before, of the
    design there, and the option taken.
    """

    cells: Array
    origin: Array


@dataclass(frozen=True)
class _Bounds:
    """What a partial design and the least rest behind it must not exceed."""

    prices: Array
    limits: Array
    rests: tuple[Sequence[Array], ...]

    def keeps(self, step: int, state: State, spent: Array) -> Array:
        """Tell which partial designs [designs, kinds] can still become one that fits."""
        least = np.array([rest[step][state] for rest in self.rests])
        return np.all(spent @ self.prices.T + least <= self.limits, axis=1)

    def tightest(self, step: int, state: State, spent: Array) -> Array:
        """Return by which part each partial design uses up the limit it is closest to."""
        least = np.array([rest[step][state] for rest in self.rests])
        return ((spent @ self.prices.T + least) / np.maximum(self.limits, 1e-9)).max(axis=1)


def smallest_by_extension(
    choices: Choices,
    shares: Array,
    limits: Sequence[tuple[Array, float]],
    interval: int,
    width: int | None = None,
) -> Walk | None:
    """Return the design of least price `shares` within all limits that keeps an interval, or None.

    With a `width` only so many partial designs are extended from each state, those farthest from
    all limits. What is found then fits, but is not the least, and None means nothing.

    Shapes: shares [kinds]; each limit is prices [kinds] and the most that a design may cost at
    them: one for each kind of cell, and any that are known to hold. The tighter they are, the fewer
    partial designs look as if they could win.
    """
    rows = np.array([prices for prices, _ in limits])
    most = np.array([most for _, most in limits]) * (1 + ROUNDING)
    bounds = _Bounds(rows, most, tuple(choices.rests(row, interval) for row in rows))
    fronts = [_starts(choices, bounds)]
    for index in range(len(choices.steps)):
        fronts.append(_extended(choices, bounds, fronts[-1], index, interval))
        if not fronts[-1]:
            return None
        if width is not None:
            fronts[-1] = _widest(bounds, fronts[-1], index + 1, width)
    return _best(choices, shares, fronts)


def _starts(choices: Choices, bounds: _Bounds) -> dict[State, _Front]:
    found: dict[State, _Front] = {}
    for lanes, spent in enumerate(choices.start):
        front = spent[None, :]
        if bounds.keeps(0, (lanes,), front)[0]:
            found[(lanes,)] = _Front(front, np.array([[0, 0, lanes]]))
    return found


def _extended(
    choices: Choices, bounds: _Bounds, fronts: dict[State, _Front], index: int, interval: int
) -> dict[State, _Front]:
    """Take every option of a step behind every partial design."""
    step = choices.steps[index]
    reached: dict[State, list[_Front]] = {}
    for number, (state, front) in enumerate(fronts.items()):
        for option, spent in zip(*step.choices(state, interval), strict=True):
            after = step.after(state, int(option))
            grown = front.cells + spent
            kept = np.flatnonzero(bounds.keeps(index + 1, after, grown))
            if len(kept):
                origin = np.empty((len(kept), 3), dtype=np.int64)
                origin[:, 0], origin[:, 1], origin[:, 2] = number, kept, option
                reached.setdefault(after, []).append(_Front(grown[kept], origin))
    return {state: _undominated(found) for state, found in reached.items()}


def _widest(
    bounds: _Bounds, fronts: dict[State, _Front], step: int, width: int
) -> dict[State, _Front]:
    """Keep in each state the partial designs that are farthest from their limits."""
    kept = {}
    for state, front in fronts.items():
        best = np.argsort(bounds.tightest(step, state, front.cells), kind="stable")[:width]
        kept[state] = _Front(front.cells[best], front.origin[best])
    return kept


def _undominated(found: Sequence[_Front]) -> _Front:
    """Merge partial designs and drop those that another is as good as in every kind."""
    spent = np.vstack([front.cells for front in found])
    origin = np.vstack([front.origin for front in found])
    from intaglio.explore.undominated import undominated  # numba takes a while to load

    order = np.lexsort(spent.T[::-1])
    spent, origin = spent[order], origin[order]
    kept = undominated(spent)
    return _Front(spent[kept], origin[kept])


def _best(choices: Choices, shares: Array, fronts: Sequence[dict[State, _Front]]) -> Walk:
    """Follow the best complete design back to its start."""
    ends = list(fronts[-1].values())
    least = [float((front.cells @ shares).min()) for front in ends]
    number = int(np.argmin(least))
    row = int((ends[number].cells @ shares).argmin())
    taken = []
    for front in reversed(fronts):
        number, row, option = (int(n) for n in list(front.values())[number].origin[row])
        taken.append(option)
    return walk(choices, taken[-1], taken[-2::-1])
