# SPDX-License-Identifier: Apache-2.0
"""Model-predictive: the best schedule of two machines if prices stay as expected; its first now.

At prices that never change, an optimum mixes two modes at most: the multiplier of the deadline is
the price of work at which both do equally well. So all pairs are tried, first the one and then the
other, with what starting and saving take, and the first of the best pair is rented for a slot. Then
all is reckoned anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.plan.money import HOUR
from intaglio.plan.state import IDLE, View


@dataclass(frozen=True)
class Predictive:
    """Rent the first of the pair of modes that would cost least.

    What is there is expected to keep its price, what is not to come back at the mean of the last
    `memory` hours; and all to be there as much, and to stay as long, as in these. Of plans that
    cost the same but for the share `close`, the one that works fastest first is taken: then there
    is time if prices change.
    """

    name: str = "mpc"
    memory: float = 72.0
    close: float = 0.0005

    def choose(self, view: View) -> int:
        """Reckon what every pair would cost."""
        count = len(view.modes)
        cost = self.costs(view)
        best = cost.min(axis=1)
        least = float(best.min())
        if not np.isfinite(least):
            fast = np.where(view.there, view.rate, -1)
            return int(fast.argmax()) if view.there.any() else IDLE
        near = best <= least * (1 + self.close)
        if view.running != IDLE and near[view.running]:
            return view.running
        pace = np.append(view.pace, 0.0)
        chosen = int(np.where(near, pace, -1.0).argmax())
        return IDLE if chosen == count else chosen

    def costs(self, view: View) -> np.ndarray:
        """Return what it costs to rent one mode now and another later, until all is done.

        Infinite where that is too late, or the first is not there. The last row is to wait a slot.

        Shapes: [modes + 1, modes], first and later. Units: micro-dollars x 3600.
        """
        save, begin = view.market.save, view.market.begin
        known, later, after = self.outlook(view)
        possible = np.append(view.there, True)[:, np.newaxis] & known
        price = np.append(np.where(view.there, view.quoted, 0), 0.0)[:, np.newaxis]
        pace = np.append(view.pace, 0.0)[:, np.newaxis]
        start = np.append(begin, 0).astype(np.float64)[:, np.newaxis]
        stop = np.append(save, 0).astype(np.float64)[:, np.newaxis]
        work = np.full((len(price), 1), float(view.left_if_stopped))
        if view.running != IDLE:
            start[view.running] = view.warming
            work[view.running] = max(0, view.work - view.saved - view.unsaved)
        time = view.unhurried - start - stop - begin - save
        # Seconds on the first: at least a slot; at most all; and what the deadline leaves.
        least = np.full((len(price), len(later)), float(view.slot))
        most = np.where(pace > 0, work / np.maximum(pace, 1e-9), view.slot) + 0 * later
        faster = after - pace
        edge = np.divide(time * after - work, faster, out=np.zeros_like(least), where=faster != 0)
        most = np.where(faster > 0, np.minimum(most, edge), most)
        least = np.where(faster < 0, np.maximum(least, edge), least)
        cheaper = price * after <= later * pace
        first = np.where(cheaper, np.maximum(most, least), least)
        first = np.where(first * pace >= work, work / np.maximum(pace, 1e-9), first)
        second = (work - first * pace) / after
        alone = second < 1  # less than a second is rounding
        total = price * (start + first + stop)
        total = total + np.where(alone, 0, later * (begin + second + save))
        used = start + first + stop + np.where(alone, 0, begin + second + save)
        return np.where(possible & (used <= view.unhurried + 1), total, np.inf)

    def outlook(self, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is expected of each mode later, from what it was in the past.

        That is whether anything is known of it, what it costs and what it does in a second, times
        when it is not there and starts anew counted in.

        Shapes: [modes] each.
        """
        paid, there = view.past(int(self.memory * HOUR / view.slot))
        count = there.sum(axis=0)
        before = np.where(there, paid, 0).sum(axis=0) / np.maximum(count, 1)
        price = np.where(view.there, view.quoted, before)
        share = np.where(count > 0, count / max(len(there), 1), 1.0)
        starts = (there[1:] & ~there[:-1]).sum(axis=0) * view.market.begin
        useful = 1 - np.minimum(starts / np.maximum(count * view.slot, 1), 0.9)
        return view.there | (count > 0), price * share, view.pace * share * useful
