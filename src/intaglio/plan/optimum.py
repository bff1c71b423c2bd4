# SPDX-License-Identifier: Apache-2.0
"""The least cost of a job on a market that is known: exact, for every deadline, in one pass.

Machines are rented from the beginning of a slot and given back at the end of one, or when the job
is done, to the second. Starting takes `Market.begin` seconds and stopping `Market.save`, both paid.
A machine that is going to be taken away saves its work just before: this is what can be known only
afterwards, and what policies (`simulate`) are compared with.

Work is counted in cells. If all gains are whole cells, the optimum is exact. Otherwise a run's gain
is wrong by less than a cell, however long the run, for it is the difference of rounded sums.
Rounding so that too little is done gives a schedule that does finish; rounding the other way gives
a bound that no schedule is below. `gap` is how far apart they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.bound import lower_bound
from intaglio.plan.market import Market
from intaglio.plan.money import LEAST_BILLED_SECONDS, bill, dollars, duration
from intaglio.plan.schedule import Schedule, Stint, schedule, stint_work

#: States a pass may have (slots x modes x cells): a second or two.
STATES = 1_500_000_000
#: Cells a job is cut into, at least and at most.
LEAST_CELLS, MOST_CELLS = 500, 20_000


@dataclass(frozen=True)
class Grid:
    """How work is cut into cells: units of work in a cell, and whether that is exact."""

    cell: int
    exact: bool


@dataclass(frozen=True, eq=False)
class Optimum:
    """The cheapest way to finish in each slot.

    `cost` is that of finishing in the slot, not before; `least` of finishing by its end; both
    micro-dollars, `INFINITE` where that is impossible. `schedule` gives the stints.

    Shapes: `loss` [slots, modes], `final` [slots, 4], `origins` [slots + 1, cells] as in `sweep`.
    """

    market: Market
    grid: Grid
    loss: np.ndarray
    final: np.ndarray
    origins: np.ndarray = field(repr=False)

    @cached_property
    def least(self) -> np.ndarray:
        """Return the least cost of finishing by the end of each slot: never rises."""
        return np.minimum.accumulate(self.final[:, 0])

    @property
    def possible(self) -> np.ndarray:
        """Return whether the job can be finished by the end of each slot."""
        from intaglio.plan.sweep import INFINITE

        return self.least < INFINITE

    def finish(self, last: int) -> int:
        """Return the second at which the cheapest schedule that ends in slot `last` is done."""
        return last * self.market.slot + int(self.final[last, 3])

    def points(self) -> list[tuple[int, int]]:
        """Return (finish in seconds, cost) where more time means less money."""
        costs = self.final[:, 0]
        better = self.possible & np.concatenate([[True], costs[1:] < self.least[:-1]])
        return [(self.finish(k), int(costs[k])) for k in np.flatnonzero(better).tolist()]

    def schedule(self, last: int) -> Schedule:
        """Follow the cheapest schedule that finishes by the end of a slot back to its start."""
        from intaglio.plan.sweep import IDLE, MODE_BITS

        at = int(np.argmin(self.final[: last + 1, 0]))
        _, tag, state, used = (int(n) for n in self.final[at])
        stints = []
        end, until = at * self.market.slot + used, at
        while True:
            mode, begun = tag & ((1 << MODE_BITS) - 1), tag >> MODE_BITS
            stints.append(Stint(mode, begun * self.market.slot, end))
            state += int(self.loss[begun, mode]) - self._gained(mode, begun, until)
            if state <= 0:
                return schedule(self.market, self._trimmed(stints[::-1]))
            until = begun
            while self.origins[until, state] == IDLE:
                until -= 1
            tag, end = int(self.origins[until, state]), until * self.market.slot

    def _trimmed(self, stints: list[Stint]) -> list[Stint]:
        """End the last stint when the work is done, which rounding may have put off."""
        *before, last = stints
        left = self.market.job.work - sum(stint_work(self.market, stint) for stint in before)
        mode = last.mode
        needed = -(-max(left, 0) // int(self.market.rate[mode]))
        end = last.begin + int(self.market.begin[mode] + self.market.save[mode]) + needed
        return [*before, replace(last, end=max(last.begin + 1, min(end, last.end)))]

    def _gained(self, mode: int, first: int, last: int) -> int:
        """Return the cells that a run gains from the beginning of a slot to that of another."""
        each = self.market.slot * int(self.market.rate[mode])
        return last * each // self.grid.cell - first * each // self.grid.cell


@dataclass(frozen=True, eq=False)
class Plan:
    """The chosen schedule, what no schedule can be below, and the whole curve.

    `bound` is Lagrange's, `floor` the larger of it and of what rounding the other way gives: the
    optimum lies from `floor` to `schedule.cost`. Units: micro-dollars; seconds.
    """

    optimum: Optimum
    schedule: Schedule
    deadline: int
    bound: int
    floor: int

    @property
    def gap(self) -> float:
        """How much the schedule may cost over the optimum at most, as a share; 0 is exact."""
        return self.schedule.cost / self.floor - 1 if self.floor else 0.0


def optimum(market: Market, *, cells: int | None = None) -> Optimum:
    """Find the least cost of finishing in every slot, by schedules that do finish.

    Raises:
        IntaglioError: there are more modes than the tables can name, or prices beyond counting.
    """
    grid = _grid(market, cells)
    done, lost = _sums(market)
    sums = done // grid.cell
    loss = -(-lost // grid.cell) - sums[:-1]
    work = -(-market.job.work // grid.cell)
    origins = np.empty((market.slots + 1, work), dtype=np.int32)
    final = _swept(market, grid, np.diff(sums, axis=0), loss, work, origins)
    return Optimum(market, grid, loss, final, origins)


def plan(market: Market, deadline: int | None = None, *, cells: int | None = None) -> Plan:
    """Find the cheapest schedule that finishes by a deadline; the market's end if none is given.

    Units: seconds from the market's start; whole slots count.

    Raises:
        InfeasibleError: no schedule finishes by then; the text says what would help.
        IntaglioError: the deadline is not within the market.
    """
    deadline = market.slots * market.slot if deadline is None else deadline
    if not market.slot <= deadline <= market.slots * market.slot:
        raise IntaglioError(
            f"the deadline must lie from {duration(market.slot)} to "
            f"{duration(market.slots * market.slot)} after the start, not at {duration(deadline)}"
        )
    found = optimum(market, cells=cells)
    last = deadline // market.slot - 1
    if not found.possible[last]:
        raise InfeasibleError(_too_late(found, deadline))
    chosen = found.schedule(last)
    bound = lower_bound(market, last + 1)
    floor = chosen.cost if found.grid.exact else max(bound, _floor(market, found.grid, last))
    return Plan(found, chosen, deadline, bound, min(floor, chosen.cost))


def plan_within(market: Market, budget: int, *, cells: int | None = None) -> Plan:
    """Find the schedule that finishes first of those that cost no more than a budget.

    Raises:
        InfeasibleError: no schedule is that cheap; the text says what would help.
    """
    found = optimum(market, cells=cells)
    enough = np.flatnonzero(found.least <= budget)
    if not len(enough):
        raise InfeasibleError(_too_dear(found, budget))
    last = int(enough[0])
    chosen = found.schedule(last)
    bound = lower_bound(market, last + 1)
    floor = chosen.cost if found.grid.exact else max(bound, _floor(market, found.grid, last))
    return Plan(found, chosen, (last + 1) * market.slot, bound, min(floor, chosen.cost))


def _sums(market: Market) -> tuple[np.ndarray, np.ndarray]:
    """Return the work of a machine that works from the first slot on, and with a start's loss.

    A run from slot s to t does `done[t] - lost[s]`, its last checkpoint included.

    Shapes: [slots + 1, modes], [slots, modes].
    """
    slots = np.arange(market.slots + 1, dtype=np.int64)[:, np.newaxis]
    done = slots * (market.slot * market.rate)
    return done, done[:-1] + (market.begin + market.save) * market.rate


def _grid(market: Market, cells: int | None) -> Grid:
    """Take the largest cell that everything is a multiple of, or as many as there is time for."""
    if cells is None:
        most = STATES // (market.slots * len(market.modes))
        cells = min(max(LEAST_CELLS, most), MOST_CELLS)
    done, lost = _sums(market.window(0, 1))
    parts = np.concatenate([done[1], lost[0], [market.job.work]])
    common = int(np.gcd.reduce(parts))
    if market.job.work // common <= cells:
        return Grid(common, exact=True)
    return Grid(-(-market.job.work // cells), exact=False)


def _swept(
    market: Market,
    grid: Grid,
    gain: np.ndarray,
    loss: np.ndarray,
    work: int,
    origins: np.ndarray,
) -> np.ndarray:
    from intaglio.plan.sweep import MODE_BITS, MOST_COST, SLOT_BITS, sweep

    if len(market.modes) > 1 << MODE_BITS or market.slots > 1 << SLOT_BITS:
        raise IntaglioError(
            f"there must be at most {1 << MODE_BITS} modes and {1 << SLOT_BITS} slots, "
            f"not {len(market.modes)} and {market.slots}: name fewer zones, or longer slots"
        )
    price = np.where(market.there, market.paid, 0)
    cost = bill(price, market.slot)
    if int(cost.max()) * market.slots >= MOST_COST:
        raise IntaglioError(
            f"a schedule must cost less than {dollars(MOST_COST)} whatever it rents, "
            f"not up to {dollars(int(cost.max()) * market.slots)}"
        )
    final = np.empty((market.slots, 4), dtype=np.int64)
    sweep(
        cost,
        price,
        market.there,
        market.there & ~market.reclaimed,
        gain,
        loss,
        market.rate,
        work,
        grid.cell,
        market.slot,
        LEAST_BILLED_SECONDS,
        origins,
        final,
    )
    return final


def _floor(market: Market, grid: Grid, last: int) -> int:
    """Return a cost that no schedule is below: the pass again, with all rounding in our favor."""
    part = market.window(0, last + 1)
    done, lost = _sums(part)
    sums = -(-done // grid.cell)
    work = max(1, market.job.work // grid.cell)
    nothing = np.empty((0, work), dtype=np.int32)
    gain, loss = np.diff(sums, axis=0), lost // grid.cell - sums[:-1]
    return int(_swept(part, grid, gain, loss, work, nothing)[:, 0].min())


def _too_late(found: Optimum, deadline: int) -> str:
    market, reached = found.market, np.flatnonzero(found.possible)
    text = f"the job must be done within {duration(deadline)}, and nothing is that fast"
    if len(reached):
        first = found.finish(int(reached[0]))
        cost = dollars(int(found.final[reached[0], 0]))
        return (
            f"{text}: the least is {duration(first)}, {duration(first - deadline)} more, for "
            f"{cost}; give it more time, larger sizes or more zones"
        )
    fastest = market.job.fastest
    alone = market.job.alone(fastest.size)
    more = (
        f", {duration(alone - deadline)} more,"
        if alone > deadline
        else ", and is not there so long,"
    )
    return (
        f"{text}: {fastest.size}, the fastest size, takes {duration(alone)} without a pause{more} "
        f"so give it more time, larger sizes, more zones, or machines at list price"
    )


def _too_dear(found: Optimum, budget: int) -> str:
    horizon = duration(found.market.slots * found.market.slot)
    text = f"the job must cost {dollars(budget)} at most, and nothing is that cheap"
    if not found.possible[-1]:
        return f"{text}: it cannot be done at all within {horizon}; look further ahead"
    least = int(found.least[-1])
    return (
        f"{text}: the least within {horizon} is {dollars(least)}, {dollars(least - budget)} more; "
        f"raise the budget, or look further ahead"
    )
