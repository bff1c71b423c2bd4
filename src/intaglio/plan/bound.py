# SPDX-License-Identifier: Apache-2.0
"""A lower bound of the cost, by Lagrange: what no schedule is below, at no cost of proof.

Give work a price: then each slot by itself rents what is worth more than it costs. Whatever the
price, the bound holds; the best price is found by bisection. That switching takes time is left out
but for the first start and the last checkpoint, which no schedule can do without.
"""

from __future__ import annotations

import numpy as np

from intaglio.plan.market import Market
from intaglio.plan.money import bill

#: The price of a unit of work is a whole number of parts, so that the bound is exact arithmetic.
PARTS = 1 << 20
STEPS = 60


def lower_bound(market: Market, slots: int) -> int:
    """Return micro-dollars that no schedule that ends within the first slots costs less than."""
    there = market.there[:slots]
    cost = np.where(there, bill(np.where(there, market.paid[:slots], 0), market.slot), 0)
    gain = (market.slot * market.rate).astype(np.int64)
    need = market.job.work + int(((market.begin + market.save) * market.rate).min())
    # Work in parts of the largest gain, rounded up, so that products fit in 64 bits.
    unit = max(1, int(gain.max()) // PARTS)
    gains = np.where(there, -(-gain // unit), 0)
    work = need // unit
    low, high = 0, PARTS
    while _rented(cost, gains, high) < work and high < 1 << 40:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) // 2
        if _rented(cost, gains, middle) < work:
            low = middle
        else:
            high = middle
        if high - low <= 1:
            break
    return max(0, *(_dual(cost, gains, work, price) for price in (low, high)))


def _worth(cost: np.ndarray, gains: np.ndarray, price: int) -> np.ndarray:
    """Return what each mode costs less what its work is worth. Units: micro-dollars / PARTS."""
    return cost.astype(np.float64) * PARTS - gains.astype(np.float64) * price


def _rented(cost: np.ndarray, gains: np.ndarray, price: int) -> int:
    worth = _worth(cost, gains, price)
    best = worth.argmin(axis=1)
    rows = np.arange(len(best))
    return int(np.where(worth[rows, best] < 0, gains[rows, best], 0).sum())


def _dual(cost: np.ndarray, gains: np.ndarray, work: int, price: int) -> int:
    worth = _worth(cost, gains, price)
    best = worth.argmin(axis=1)
    rows = np.arange(len(best))
    # Whatever floats have picked, the sum is of whole numbers of any size.
    saved = sum(
        min(0, int(c) * PARTS - int(g) * price)
        for c, g in zip(cost[rows, best].tolist(), gains[rows, best].tolist(), strict=True)
    )
    return (saved + work * price) // PARTS - len(rows)
