# SPDX-License-Identifier: Apache-2.0
"""A folding made better one unit at a time, as long as that helps, by the exact timing.

What helps is less latency, down to what is enough, and where that is the same, less area. Buffers
are those of the folding that a change is made to, so that a change costs one timing and no sizing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

from tqdm import tqdm

from intaglio.arch.dataflow import Draft
from intaglio.arch.design import Design
from intaglio.errors import VerificationError
from intaglio.explore.folding import Folding, Search
from intaglio.explore.lanes import Step
from intaglio.explore.options import Option

#: Latency that is too much, and area; both are to be little.
Merit = tuple[int, float]


@dataclass(frozen=True)
class Place:
    """A folding with the design that it was timed as, and its merit."""

    folding: Folding
    design: Design
    latency: int
    merit: Merit


@dataclass(frozen=True)
class Descent:
    """Changes to foldings of a program, within what a search allows."""

    draft: Draft
    search: Search
    steps: tuple[Step, ...]
    enough: int
    bar: tqdm[Any]

    def place(self, folding: Folding, design: Design) -> Place:
        """Time a design of a folding."""
        latency = design.timing(1).frames[0].latency
        self.bar.update()
        merit = max(latency, self.enough), self.search.area(folding.resources)
        return Place(folding, design, latency, merit)

    def bottom(self, start: Place) -> Place:
        """Return what no change of a single unit makes better."""
        best, alike = start, 0  # units in a row of which no change helped
        for step in cycle(self.steps):
            if alike == len(self.steps):
                break
            self.bar.set_postfix_str(f"at most {best.latency:,} cycles", refresh=False)
            found = self._best(step, best)
            best, alike = found, alike + 1 if found is best else 1
        return best

    def _best(self, step: Step, best: Place) -> Place:
        """Return the best of all that differ in one unit."""
        start = best
        for option in self._options(step, start):
            found = self.changed(start, step.node.name, option)
            if found is not None and found.merit < best.merit:
                best = found
        return best

    def _options(self, step: Step, start: Place) -> Iterator[Option]:
        """Yield options that can be better: sooner done, or smaller where that counts."""
        now = start.folding.folds[step.node.name]
        own = next((option for option in step.options if option.fold == now), None)
        for option in step.options:
            if option.fold == now:
                continue
            sooner = own is None or option.wait < own.wait or option.interval < own.interval
            if sooner or start.merit[0] == self.enough:
                yield option

    def changed(self, start: Place, name: str, option: Option) -> Place | None:
        """Return a folding with another option for a unit, or None if it does not fit."""
        folds = {**start.folding.folds, name: option.fold}
        plain = self.draft.design(folds, {})
        if not plain.resources.fits(self.search.bound):
            return None
        slack = start.design.folds[name].slack
        timed = {**start.design.folds, name: replace(option.fold, slack=slack)}
        design = self.draft.design(timed, start.design.buffers)
        folding = Folding(folds, plain.bottleneck.unit.interval, plain.resources)
        try:
            return self.place(folding, design)
        except VerificationError:  # it waits for ever with so few buffers
            return None
