# SPDX-License-Identifier: Apache-2.0
"""Folding for least latency: from a frame's first beat in to its last beat out.

Latency is no sum over units: they work at the same time, and each waits for what it needs of those
before it. What it is only the exact timing tells, so that is the judge here, and foldings are put
before it. On a ladder of intervals, from the least that fits upwards, these are two each: one whose
units' first results come soon, by the sum of the cycles until these, and the smallest (`folding`).
The best of them has the least latency of those proposed; that no other folding has less is not
proven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.arch.dataflow import dataflow, hardware_graph
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError
from intaglio.explore.buffers import settle_buffers
from intaglio.explore.folding import PRICE_STEPS, Folding, Search
from intaglio.explore.lanes import Choices, choices
from intaglio.explore.options import cells
from intaglio.explore.walk import Walk, cheapest
from intaglio.ir.graph import Program

#: Intervals on the ladder, at even ratios.
RUNGS = 6


@dataclass(frozen=True)
class Timed:
    """A folding, and the cycles of its first frame from the first beat in to the last out."""

    folding: Folding
    latency: int


def least_latency(
    program: Program, device: Device, fill: float = 1.0, logic: float | None = None
) -> Timed:
    """Return the folding of least latency of those proposed, and of these the smallest.

    Args:
        program: what to fold.
        device: what it has to fit.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.

    Exactness: latency by the exact timing; least of the foldings proposed, not of all.

    Raises:
        InfeasibleError: not even the smallest design fits.
        ModelError: a node has no hardware.
    """
    ladder = Ladder.of(program, device, fill, logic)
    return min(ladder.proposed(), key=lambda found: (found.latency, ladder.area(found)))


def least_area_within(
    program: Program,
    device: Device,
    latency: int,
    fill: float = 1.0,
    logic: float | None = None,
) -> Timed:
    """Return the smallest folding proposed whose latency is at most the given one.

    Args:
        program: what to fold.
        device: what it has to fit.
        latency: cycles that a frame may take from its first beat in to its last out.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.

    Raises:
        InfeasibleError: none proposed is that quick, or none fits.
        ModelError: a node has no hardware.
    """
    ladder = Ladder.of(program, device, fill, logic)
    found = ladder.proposed(latency)
    quick = [timed for timed in found if timed.latency <= latency]
    if not quick:
        best = min(timed.latency for timed in [*found, *ladder.proposed()])
        raise InfeasibleError(
            f"a latency must be at least {best:,} cycles for this network on {device.name} as far "
            f"as was searched, not {latency:,} ({best - latency:,} too few): take a larger share "
            "of the device, a larger device or a higher clock"
        )
    return min(quick, key=lambda timed: (ladder.area(timed), timed.latency))


@dataclass(frozen=True)
class Ladder:
    """What proposes foldings; in `waits` the last kind of cell is cycles until first results."""

    program: Program
    device: Device
    search: Search
    waits: Choices

    @classmethod
    def of(cls, program: Program, device: Device, fill: float, logic: float | None) -> Ladder:
        """Work out every fold of every node, and when its first result comes."""
        search = Search.of(program, device, fill, logic)
        return cls(program, device, search, choices(hardware_graph(program), device, waits=True)[0])

    def proposed(self, enough: int | None = None) -> list[Timed]:
        """Return foldings of intervals between the least and the latency that is enough.

        No frame passes a unit faster than its interval, so beyond that none is quick enough. Where
        no latency is named, that of the fastest folding is enough.
        """
        fastest = self.search.best_throughput()
        found = [self.timed(fastest)]
        end = max(fastest.interval, found[0].latency if enough is None else enough)
        wanted = np.geomspace(fastest.interval, end, RUNGS).round()
        every = self.search.intervals
        for rung in np.unique(np.searchsorted(every, wanted, side="right") - 1):
            interval = int(every[rung])
            for folding in (self.soonest(interval), self.search.least_area(interval)):
                if folding is not None and all(folding != timed.folding for timed in found):
                    found.append(self.timed(folding))
        return found

    def soonest(self, interval: int) -> Folding | None:
        """Return what fits and has the least sum of waits of all that prices find, if any does.

        Cells are dear at first, and each kind the dearer the more a design has too much of it.
        """
        limit = np.array(cells(self.search.bound), dtype=np.int64)
        waits = np.append(np.zeros(len(limit)), 1.0)
        found = cheapest(self.waits, waits, interval)
        best: Walk | None = None
        shares = 1.0 / np.maximum(limit, 1)
        prices = shares * (found.cells[-1] if found is not None else 1)
        for _ in range(PRICE_STEPS):
            found = cheapest(self.waits, waits + np.append(prices, 0.0), interval)
            if found is None:
                return None
            used = found.cells[:-1]
            if np.all(used <= limit) and (best is None or found.cells[-1] < best.cells[-1]):
                best = found
            prices = prices * np.exp(np.clip(used * shares - 1.0, -1.0, 1.0))
        return None if best is None else self.search.folding(self.waits, best)

    def timed(self, folding: Folding) -> Timed:
        """Ask the exact timing."""
        design = settle_buffers(dataflow(self.program, self.device, folding.folds))
        return Timed(folding, design.timing(1).frames[0].latency)

    def area(self, timed: Timed) -> float:
        """Return the sum of shares of the device that a folding takes."""
        return self.search.area(timed.folding.resources)
