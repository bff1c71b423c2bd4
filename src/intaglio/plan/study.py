# SPDX-License-Identifier: Apache-2.0
"""Policies compared: the same job begun at many moments of a market, each beside its optimum."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.market import SPOT, Market
from intaglio.plan.money import HOUR, bill, clock, duration
from intaglio.plan.optimum import plan
from intaglio.plan.policies import chosen
from intaglio.plan.schedule import Schedule
from intaglio.plan.simulate import Ride, simulate

#: What policies may look back on before the first start, where the history is long enough.
LEAD = 7 * 24 * HOUR


@dataclass(frozen=True)
class Sample:
    """One start: its slot, the optimum, what no schedule is below, and a ride of each policy."""

    first: int
    optimum: Schedule
    floor: int
    rides: tuple[Ride, ...]


@dataclass(frozen=True, eq=False)
class Study:
    """A job begun at many moments, with `slots` slots until its deadline.

    `yardstick` is the cost of the largest size at list price throughout, None without list prices.
    """

    market: Market
    slots: int
    save_every: float
    names: tuple[str, ...]
    samples: tuple[Sample, ...]
    yardstick: int | None

    def ratios(self, name: str) -> np.ndarray:
        """Return cost over the optimum for each start; infinite where the deadline was missed."""
        at = self.names.index(name)
        return np.array(
            [
                np.inf if s.rides[at].finish is None else s.rides[at].cost / s.optimum.cost
                for s in self.samples
            ]
        )

    def rides(self, name: str) -> list[Ride]:
        """Return what became of each start under a policy."""
        at = self.names.index(name)
        return [sample.rides[at] for sample in self.samples]


def study(
    market: Market,
    names: Sequence[str],
    *,
    slots: int,
    starts: int,
    save_every: float,
    processes: int = 1,
    progress: bool = True,
) -> Study:
    """Run policies from many starts, spread evenly over the market.

    Raises:
        InfeasibleError: even the safe mode would be late.
        IntaglioError: the prices are too short, or there is no policy of a name.
    """
    chosen(names)
    last = market.slots - slots
    if last < 0:
        raise IntaglioError(
            f"prices must last {duration(slots * market.slot)} at least, "
            f"not {duration(market.slots * market.slot)}"
        )
    if starts < 1:
        raise IntaglioError(f"there must be a start at least, not {starts}")
    lead = min(LEAD // market.slot, last)
    firsts = sorted(set(np.linspace(lead, last, starts).astype(int).tolist()))
    tasks = [(market, tuple(names), first, slots, save_every) for first in firsts]
    samples = tuple(_samples(tasks, processes, progress))
    yardstick = None
    if market.safe is not None:
        seconds = market.job.alone(market.modes[market.safe].size)
        yardstick = bill(int(market.paid[0, market.safe]), seconds)
    return Study(market, slots, save_every, tuple(names), samples, yardstick)


Task = tuple[Market, tuple[str, ...], int, int, float]


def _samples(tasks: Sequence[Task], processes: int, progress: bool) -> Iterator[Sample]:
    bar = {"total": len(tasks), "desc": "simulate", "unit": "start", "disable": not progress}
    if processes == 1:
        yield from tqdm(map(_sample, tasks), **bar)
        return
    # A fresh interpreter each: what numba and numpy hold in threads does not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from tqdm(pool.map(_sample, tasks), **bar)


def _sample(task: Task) -> Sample:
    market, names, first, slots, save_every = task
    try:
        best = plan(market.window(first, slots))
    except InfeasibleError as error:
        when = clock(market.start + first * market.slot)
        raise InfeasibleError(f"from {when}: {error}") from None
    rides = tuple(
        simulate(market, policy, first=first, slots=slots, save_every=save_every)
        for policy in chosen(names)
    )
    return Sample(first, best.schedule, best.floor, rides)


def harsh(market: Market, probability: float, seed: int) -> Market:
    """Return a market that takes spot machines away at random, in each slot, beside what it does.

    A probability of 1 takes every one away at every slot.

    Raises:
        IntaglioError: the probability is none.
    """
    if not 0 <= probability <= 1:
        raise IntaglioError(f"a probability must be from 0 to 1, not {probability}")
    spot = np.array([mode.kind == SPOT for mode in market.modes])
    taken = np.random.default_rng(seed).random(market.there.shape) < probability
    return replace(market, reclaimed=market.reclaimed | (taken & spot))
