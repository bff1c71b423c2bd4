# SPDX-License-Identifier: Apache-2.0
"""Small markets and jobs for tests, made up; and every schedule on one, tried one by one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from intaglio.plan.job import Job, Pace
from intaglio.plan.market import LIST, SPOT, Market, Mode
from intaglio.plan.money import LEAST_BILLED_SECONDS, bill

#: Stands for "cannot be done".
NEVER = 1 << 62


def flat(
    prices: Sequence[int],
    rates: Sequence[int],
    work: int,
    *,
    slots: int,
    slot: int = 600,
    save: int = 0,
    begin: int = 0,
    kinds: Sequence[str] = (),
) -> Market:
    """Return a market whose prices never change. Units: as `Market` has them."""
    names = [f"x{n}" for n in range(len(prices))]
    paces = tuple(Pace(name, rate, save, begin) for name, rate in zip(names, rates, strict=True))
    kinds = kinds or [LIST] * len(prices)
    modes = tuple(Mode(name, "here", kind) for name, kind in zip(names, kinds, strict=True))
    paid = np.tile(np.array(prices, dtype=np.int64), (slots, 1))
    there = np.ones(paid.shape, dtype=bool)
    count = len(prices)
    return Market(
        Job("flat", work, max(1, work // 10), paces, "made up"),
        0,
        slot,
        modes,
        paid,
        paid,
        there,
        ~there,
        np.array(rates, dtype=np.int64),
        np.full(count, save, dtype=np.int64),
        np.full(count, begin, dtype=np.int64),
        "flat",
    )


def small(seed: int, *, slots: int = 5, modes: int = 3) -> Market:
    """Return a market of a few slots with everything at random, the same for the same seed."""
    random = Random(seed)  # noqa: S311
    count = random.randint(1, modes)
    length = random.randint(2, slots)
    slot = random.choice([60, 120, 600])
    rates = [random.randint(1, 6) for _ in range(count)]
    save = random.choice([0, slot // 6, slot // 2])
    begin = random.choice([0, slot // 3, slot, slot + slot // 2])
    most = slot * length * max(rates)
    work = random.randint(1, max(1, most * 2 // 3))
    made = flat([1] * count, rates, work, slots=length, slot=slot, save=save, begin=begin)
    paid = np.array(
        [[random.randint(1, 40) * 100_000 for _ in range(count)] for _ in range(length)]
    )
    there = np.array([[random.random() < 0.85 for _ in range(count)] for _ in range(length)])
    taken = np.array([[random.random() < 0.1 for _ in range(count)] for _ in range(length)])
    kinds = [random.choice([SPOT, LIST]) for _ in range(count)]
    return Market(
        made.job,
        0,
        slot,
        tuple(Mode(f"x{n}", "here", kind) for n, kind in enumerate(kinds)),
        paid,
        paid,
        there,
        ~there | taken,
        made.rate,
        made.save,
        made.begin,
        "random",
    )


def tried_one_by_one(market: Market) -> list[int]:
    """Return the least cost of finishing in each slot, by trying every schedule there is."""
    best = [NEVER] * market.slots
    _try(market, 0, None, 0, 0, best)
    return best


def _try(
    market: Market, t: int, run: tuple[int, int] | None, saved: int, cost: int, best: list[int]
) -> None:
    if t == market.slots:
        return
    if run is not None and market.there[t, run[0]] and not market.reclaimed[t, run[0]]:
        _rent(market, t, run, saved, cost, best)
    if run is not None:
        i, since = run
        worked = (t - since) * market.slot - int(market.begin[i] + market.save[i])
        saved += max(0, worked) * int(market.rate[i])
    _try(market, t + 1, None, saved, cost, best)
    for i in range(len(market.modes)):
        if market.there[t, i]:
            _rent(market, t, (i, t), saved, cost, best)


def _rent(
    market: Market, t: int, run: tuple[int, int], saved: int, cost: int, best: list[int]
) -> None:
    i, since = run
    price, left = int(market.paid[t, i]), market.job.work - saved
    done = since * market.slot + int(market.begin[i] + market.save[i])
    done += -(-left // int(market.rate[i]))
    used = done - t * market.slot
    if used <= market.slot:
        billed = max(used, LEAST_BILLED_SECONDS) if since == t else used
        best[t] = min(best[t], cost + bill(price, billed))
    else:
        _try(market, t + 1, run, saved, cost + bill(price, market.slot), best)
