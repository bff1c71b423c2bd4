# SPDX-License-Identifier: Apache-2.0
"""Folding for least latency: from a frame's first beat in to its last beat out.

Latency is no sum over units: they work at the same time, and each waits for what it needs of those
before it. What it is only the exact timing tells, so that is the judge here, and foldings are put
before it: all of a network that has few. Of others, on a ladder of intervals from the least that
fits upwards, two each: one whose units' first results come soon, by the sum of the cycles until
these, and the smallest (`folding`). The best of them is then made better unit by unit (`descent`);
that no other folding has less is not proven for these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from tqdm import tqdm

from intaglio.arch.dataflow import Draft
from intaglio.arch.design import Design
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError
from intaglio.explore.buffers import settle_buffers
from intaglio.explore.descent import Descent
from intaglio.explore.folding import PRICE_STEPS, Folding, Search
from intaglio.explore.lanes import Choices, choices
from intaglio.explore.options import cells
from intaglio.explore.walk import Walk, cheapest
from intaglio.hw.unit import StreamOperator
from intaglio.ir.graph import Program

#: Intervals on the ladder, at even ratios.
RUNGS = 6
#: So many foldings are all tried.
FEW = 400


@dataclass(frozen=True)
class Timed:
    """A folding, and the cycles of its first frame from the first beat in to the last out."""

    folding: Folding
    latency: int


def least_latency(
    program: Program,
    device: Device,
    fill: float = 1.0,
    logic: float | None = None,
    *,
    progress: bool = False,
) -> Timed:
    """Return the folding of least latency that is found, and of these the smallest.

    Args:
        program: what to fold.
        device: what it has to fit.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.
        progress: show it, where it takes longer than two seconds.

    Exactness: latency by the exact timing; least of all foldings where there are at most `FEW`.

    Raises:
        InfeasibleError: not even the smallest design fits.
        ModelError: a node has no hardware.
    """
    return Ladder.of(program, device, fill, logic).best(progress=progress)


def least_area_within(
    program: Program,
    device: Device,
    latency: int,
    fill: float = 1.0,
    logic: float | None = None,
    *,
    progress: bool = False,
) -> Timed:
    """Return the smallest folding that is found whose latency is at most the given one.

    Args:
        program: what to fold.
        device: what it has to fit.
        latency: cycles that a frame may take from its first beat in to its last beat out.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.
        progress: show it, where it takes longer than two seconds.

    Exactness: as `least_latency`.

    Raises:
        InfeasibleError: none that is found is that quick, or none fits.
        ModelError: a node has no hardware.
    """
    ladder = Ladder.of(program, device, fill, logic)
    found = ladder.best(latency, progress=progress)
    if found.latency > latency:
        best = min(found.latency, ladder.best(progress=progress).latency)
        raise InfeasibleError(
            f"a latency must be at least {best:,} cycles for this network on {device.name} as far "
            f"as was searched, not {latency:,} ({best - latency:,} too few): take a larger share "
            "of the device, a larger device or a higher clock"
        )
    return found


@dataclass(frozen=True)
class Ladder:
    """What proposes foldings; in `waits` the last kind of cell is cycles until first results."""

    draft: Draft
    search: Search
    waits: Choices

    @classmethod
    def of(cls, program: Program, device: Device, fill: float, logic: float | None) -> Ladder:
        """Work out every fold of every node, and when its first result comes."""
        draft, search = Draft(program, device), Search.of(program, device, fill, logic)
        return cls(draft, search, choices(draft.graph, device, waits=True)[0])

    def best(self, enough: int = 0, *, progress: bool = False) -> Timed:
        """Return the folding of least latency, or the smallest whose latency is enough."""
        fastest = self.search.best_throughput()  # or there is none at all
        with tqdm(desc="foldings", unit="", delay=2, leave=False, disable=not progress) as bar:
            found = list(self.every()) or self.bettered(fastest, enough, bar)
        return min(found, key=lambda timed: (max(timed.latency, enough), self.area(timed)))

    def every(self) -> Iterator[Timed]:
        """Yield every folding that fits, or none where there are too many to try."""
        graph = self.draft.graph
        legal = {
            node.name: list(node.op.folds(graph.operand_types(node)))
            for node in graph.nodes
            if isinstance(node.op, StreamOperator)
        }
        if math.prod(map(len, legal.values())) > FEW:
            return
        for folds in product(*legal.values()):
            chosen = dict(zip(legal, folds, strict=True))
            plain = self.draft.design(chosen, {})
            if plain.resources.fits(self.search.bound):
                yield self.timed(Folding(chosen, plain.bottleneck.unit.interval, plain.resources))

    def bettered(self, fastest: Folding, enough: int, bar: tqdm[Any]) -> list[Timed]:
        """Return the fastest folding, and the best one proposed as single changes make it."""
        descent = Descent(self.draft, self.search, self.waits.steps, enough, bar)
        places = [descent.place(f, self._built(f)) for f in self.proposed(fastest, enough)]
        start = min(places, key=lambda place: place.merit)
        return [self.timed(f) for f in (fastest, start.folding, descent.bottom(start).folding)]

    def proposed(self, fastest: Folding, enough: int) -> Iterator[Folding]:
        """Yield foldings of intervals between the least and the latency that is enough.

        No frame passes a unit faster than its interval, so beyond that none is quick enough. Where
        no latency is named, that of the fastest folding is enough.
        """
        yield fastest
        end = enough or self._built(fastest).timing(1).frames[0].latency
        wanted = np.geomspace(fastest.interval, max(fastest.interval, end), RUNGS).round()
        every = self.search.intervals
        for rung in np.unique(np.searchsorted(every, wanted, side="right") - 1):
            interval = int(every[rung])
            soonest = self.soonest(interval)
            if soonest is not None:
                yield soonest
            yield self.search.least_area(interval)

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
        """Ask the exact timing of what the folding becomes with its buffers."""
        design = settle_buffers(self._built(folding))
        return Timed(folding, design.timing(1).frames[0].latency)

    def area(self, timed: Timed) -> float:
        """Return the sum of shares of the device that a folding takes."""
        return self.search.area(timed.folding.resources)

    def _built(self, folding: Folding) -> Design:
        return self.draft.design(folding.folds)
