# SPDX-License-Identifier: Apache-2.0
"""One option for each item, within a budget, of least total loss: exactly.

The multiple-choice knapsack. A price for cost gives a lower bound of every partial choice, and the
best choice at the price that just keeps the budget is an upper one. Partial choices are extended
item by item; those are kept that are not beaten in both cost and loss by another, and whose bound
is not above the best choice known. Nothing else is dropped, so what is left is the optimum.

Source: H. Kellerer, U. Pferschy, D. Pisinger, "Knapsack Problems", Springer 2004, chapter 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Halvings of the interval of the price: it only has to be good, not exact.
HALVINGS = 60
#: By how much sums of float64 may differ, relative to the loss.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Option:
    """What an option costs, and how much is lost with it; neither is negative."""

    cost: float
    loss: float


def choose(items: Sequence[Sequence[Option]], budget: float) -> list[int] | None:
    """Return the place of each item's option in the choice of least loss, None if none fits.

    Of equal losses the cheaper choice is taken.
    """
    costs = [np.array([option.cost for option in options], dtype=np.float64) for options in items]
    losses = [np.array([option.loss for option in options], dtype=np.float64) for options in items]
    if sum(float(c.min()) for c in costs) > budget:
        return None
    price, known = _price(costs, losses, budget)
    known *= 1.0 + ROUNDING
    cost, loss, back = np.zeros(1), np.zeros(1), []
    for i in range(len(items)):
        rest_cost = sum(float(c.min()) for c in costs[i + 1 :])
        rest_loss = sum(
            float((v + price * c).min())
            for c, v in zip(costs[i + 1 :], losses[i + 1 :], strict=True)
        )
        wider = (cost[:, None] + costs[i]).ravel()
        worse = (loss[:, None] + losses[i]).ravel()
        bound = worse + price * (wider - budget) + rest_loss
        slack = ROUNDING * (abs(price * budget) + known)
        alive = np.flatnonzero((wider + rest_cost <= budget) & (bound <= known + slack))
        kept = alive[_unbeaten(wider[alive], worse[alive])]
        back.append(kept)
        cost, loss = wider[kept], worse[kept]
    state = int(np.lexsort((cost, loss))[0])
    chosen = []
    for i in reversed(range(len(items))):
        state, option = divmod(int(back[i][state]), len(items[i]))
        chosen.append(option)
    return chosen[::-1]


def _unbeaten(cost: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return the places of what no other beats in both, the cheapest first."""
    order = np.lexsort((loss, cost))
    sorted_loss = loss[order]
    best = np.minimum.accumulate(np.concatenate([[np.inf], sorted_loss[:-1]]))
    return np.asarray(order[sorted_loss < best])


def _price(
    costs: Sequence[np.ndarray], losses: Sequence[np.ndarray], budget: float
) -> tuple[float, float]:
    """Return the least price found at which the best choice keeps the budget, and its loss."""

    def total(price: float) -> tuple[float, float]:
        cost = loss = 0.0
        for c, v in zip(costs, losses, strict=True):
            best = np.lexsort((c, v + price * c))[0]
            cost, loss = cost + float(c[best]), loss + float(v[best])
        return cost, loss

    if total(0.0)[0] <= budget:
        return 0.0, total(0.0)[1]
    cheapest = sum(float(v[np.lexsort((v, c))[0]]) for c, v in zip(costs, losses, strict=True))
    low, high = 0.0, 1.0
    while total(high)[0] > budget:
        if high > 1e300:
            return 0.0, cheapest
        high *= 4.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle)[0] > budget else (low, middle)
    return high, min(total(high)[1], cheapest)
