# SPDX-License-Identifier: Apache-2.0
"""Exact folding of a dataflow design under a device's budget.

The interval of a design is that of its slowest unit, so the least interval is found by bisection
over the intervals that occur. Whether one is feasible, and which of its designs is smallest, is a
multiple-choice knapsack with several kinds of cells, whose choices are coupled by the lanes of the
streams between them (`lanes`).

It is solved exactly in three tries, each dearer than the one before. With a price for each kind of
cell the cheapest design is a dynamic program; if it fits, nothing smaller is left to find. If at
some prices the cheapest design costs more than the whole device, none fits. Only what prices leave
open is searched: partial designs are extended node by node, and dropped where another is at least
as good in every kind, where one kind cannot suffice any more, or where the prices prove that no
rest is small enough. Nothing is sampled, so the result is the optimum of the cost model.

Source: the bisection over the bottleneck and the merging of Pareto sets is the textbook dynamic
program for bottleneck and multiple-choice knapsack problems, bounds from prices its Lagrangian
relaxation (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, chapters 9 and 11).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intaglio.arch.dataflow import capacity, hardware_graph, over_capacity
from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError
from intaglio.explore.lanes import Array, Choices, choices
from intaglio.explore.options import Option, cells, resources
from intaglio.explore.partial import smallest_by_extension
from intaglio.explore.walk import Walk, cheapest
from intaglio.hw.cost import Resources
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Program

#: Prices tried before what they leave open is searched.
PRICE_STEPS = 24
#: Partial designs extended from each state where any design will do, and before all are.
WIDTH = 8
WIDTHS = (WIDTH, 64, None)
#: Extra prices tried for a bound; after so many that raise it by no more than this part of it, the
#: steps between them halve.
BOUND_STEPS, IDLE_STEPS, WORTHWHILE = 60, 4, 1e-5


@dataclass(frozen=True)
class Folding:
    """The chosen fold of every node, the interval it reaches and the cells it is estimated at."""

    folds: Mapping[str, Fold]
    interval: int
    resources: Resources


def best_throughput(
    program: Program, device: Device, fill: float = 1.0, logic: float | None = None
) -> Folding:
    """Return the folding of least interval that fits, and among those the one of least cells.

    Args:
        program: what to fold.
        device: what it has to fit.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.

    Raises:
        InfeasibleError: not even the smallest design fits.
        ModelError: a node has no hardware.
    """
    return Search.of(program, device, fill, logic).best_throughput()


def least_area(
    program: Program,
    device: Device,
    interval: int,
    fill: float = 1.0,
    logic: float | None = None,
) -> Folding:
    """Return the folding of least cells whose interval is at most the given one.

    Least means the smallest sum of shares of the device, over all kinds of cells.

    Args:
        program: what to fold.
        device: what it has to fit.
        interval: cycles a frame may take.
        fill: share of each kind of the device's cells that may be taken.
        logic: that of tables and flip-flops, where it is another.

    Raises:
        InfeasibleError: no fold is that fast, or none that is fits.
    """
    return Search.of(program, device, fill, logic).least_area(interval)


def pareto(
    program: Program,
    device: Device,
    fill: float = 1.0,
    logic: float | None = None,
    points: int = 32,
) -> list[Folding]:
    """Return foldings from the fastest to the smallest, none both slower and larger than another.

    Each is the smallest of its interval; the intervals are spread evenly on a scale of ratios.
    Larger means a larger sum of shares of the device.

    Raises:
        InfeasibleError: not even the smallest design fits.
        ModelError: a node has no hardware.
    """
    return Search.of(program, device, fill, logic).pareto(points)


@dataclass(frozen=True)
class Search:
    """The choices of a program, and what they have to fit; asked as often as one likes."""

    choices: Choices
    wires: Mapping[str, Option]
    bound: Resources
    device: str

    @classmethod
    def of(
        cls, program: Program, device: Device, fill: float = 1.0, logic: float | None = None
    ) -> Search:
        """Work out every fold of every node.

        Raises:
            ModelError: a node has no hardware.
        """
        found, wires = choices(hardware_graph(program), device)
        return cls(found, wires, capacity(device, fill, logic), device.name)

    @cached_property
    def intervals(self) -> Array:
        """Every interval a design can have, in rising order."""
        return self.choices.intervals()

    def best_throughput(self) -> Folding:
        """See the function of that name."""
        found: dict[int, Walk | None] = {}

        def fits(index: int) -> bool:
            found[index] = self._any(int(self.intervals[index]))
            return found[index] is not None

        least = bisect_left(range(len(self.intervals)), True, key=fits)
        if least == len(self.intervals):
            raise InfeasibleError(self.shortfall(int(self.intervals[-1])))
        return self._folding(int(self.intervals[least]))

    def least_area(self, interval: int) -> Folding:
        """See the function of that name."""
        if self.intervals[0] > interval:
            raise InfeasibleError(
                f"an interval must be at least {self.intervals[0]} cycles for this network, not "
                f"{interval}: ask for fewer frames per second or a higher clock"
            )
        if self._any(interval) is None:
            raise InfeasibleError(self.shortfall(interval))
        return self._folding(interval)

    def pareto(self, points: int) -> list[Folding]:
        """See the function of that name."""
        found = [self.best_throughput()]
        slower = self.intervals[self.intervals > found[0].interval]
        if not len(slower):
            return found
        wanted = np.geomspace(found[0].interval, self.intervals[-1], points)
        for index in np.unique(np.searchsorted(slower, wanted[1:-1])):
            self._add_smaller(found, int(slower[index]))
        self._add_smaller(found, int(slower[-1]))
        return found

    def _add_smaller(self, found: list[Folding], interval: int) -> None:
        slower = self._folding(interval)
        if self.area(slower.resources) < self.area(found[-1].resources):
            found.append(slower)

    def area(self, spent: Resources) -> float:
        """Return the sum of shares of the device that cells take."""
        return float(np.array(cells(spent)) @ self._shares)

    def shortfall(self, interval: int) -> str:
        """Say by how much the smallest design of an interval misses the device."""
        walk = cheapest(self.choices, self._shares, interval)
        if walk is None:
            return f"a design must keep an interval of {interval} cycles; no folding does"
        return over_capacity(resources(walk.cells), self.bound, self.device)

    @cached_property
    def _limit(self) -> Array:
        return np.array(cells(self.bound), dtype=np.int64)

    @cached_property
    def _shares(self) -> Array:
        """The price of a cell: its share of the device."""
        return 1.0 / np.maximum(self._limit, 1)

    def _any(self, interval: int) -> Walk | None:
        """Return some design of an interval that fits, or None."""
        prices = self._shares
        for _ in range(PRICE_STEPS):
            found = cheapest(self.choices, prices, interval)
            if found is None or found.cells @ prices > self._limit @ prices * (1 + ROUNDING):
                return None
            if self._fits(found):
                return found
            prices = prices * self._excess(found)
        fitting, extra, bound = self._bounded(None, interval)
        if fitting is not None or bound > float(self._limit @ self._shares) * (1 + ROUNDING):
            return fitting
        dearer = self._shares + extra
        known = (prices, float(self._limit @ prices)), (dearer, float(self._limit @ dearer))
        return self._extended(interval, *known, width=WIDTH) or self._extended(interval, *known)

    def _smallest(self, interval: int) -> Walk | None:
        """Return the smallest design of an interval that fits, or None."""
        found = cheapest(self.choices, self._shares, interval)
        if found is None or self._fits(found):
            return found
        best = self._any(interval)
        if best is None:
            return None
        found, extra, bound = self._bounded(best, interval)
        best = found or best
        for width in WIDTHS:  # the better a design is known, the fewer others are extended
            if bound >= self._price(best) * (1 - ROUNDING):
                return best
            at_most = self._price(best) + float(self._limit @ extra)
            known = (self._shares, self._price(best)), (self._shares + extra, at_most)
            best = self._extended(interval, *known, width=width) or best
        return best

    def _bounded(self, best: Walk | None, interval: int) -> tuple[Walk | None, Array, float]:
        """Look for the extra prices of scarce cells at which the cheapest design is dearest.

        Designs that fit cost at most as much more as the whole device costs at extra prices, so the
        cheapest at those, less that, bounds the smallest that fits: the Lagrangian dual, climbed by
        subgradients with Polyak's steps, which halve where they lead nowhere.

        Returns:
            The smallest design known that fits, the best extra prices and their bound. Where none
            is known, the first that is met ends the climb, and a bound above the price of the whole
            device says that there is none.
        """
        whole = self._limit * self._shares
        known = best is not None
        extra = tightest = np.zeros(len(whole))
        least, part, idle = -np.inf, 1.0, 0
        for _ in range(BOUND_STEPS):
            found = cheapest(self.choices, self._shares * (1 + extra), interval)
            if found is None:
                return None, extra, np.inf
            most = float(whole.sum()) if best is None else self._price(best)
            if self._fits(found) and self._price(found) <= most:
                best, most = found, self._price(found)
                if not known:
                    break
            lacking = found.cells * self._shares - whole
            bound = self._price(found) + float(lacking @ extra)
            idle = 0 if bound > least * (1 + WORTHWHILE) else idle + 1
            if bound > least:
                tightest, least = extra, bound
            if idle == IDLE_STEPS:
                part, idle = part / 2, 0
            lacking = np.where((extra <= 0) & (lacking < 0), 0, lacking)
            if least > most * (1 + (ROUNDING if best is None else -ROUNDING)) or not lacking.any():
                break
            length = part * (most - bound) / float(lacking @ lacking)
            extra = np.maximum(0, extra + length * lacking)
        return best, self._shares * tightest, least

    def _extended(
        self, interval: int, *known: tuple[Array, float], width: int | None = None
    ) -> Walk | None:
        units = np.eye(len(self._limit))
        kinds = [(row, float(most)) for row, most in zip(units, self._limit, strict=True)]
        limits = [*kinds, *known]
        return smallest_by_extension(self.choices, self._shares, limits, interval, width)

    def _excess(self, found: Walk) -> Array:
        """By how much to raise the price of each kind that a design has too much of."""
        used = found.cells / np.maximum(self._limit, 1)
        return np.exp(np.clip(used - 1.0, -1.0, 1.0))

    def _fits(self, found: Walk) -> bool:
        return bool(np.all(found.cells <= self._limit))

    def _price(self, found: Walk) -> float:
        return float(found.cells @ self._shares)

    def _folding(self, interval: int) -> Folding:
        walk = self._smallest(interval)
        if walk is None:
            raise InfeasibleError(self.shortfall(interval))
        return self.folding(self.choices, walk)

    def folding(self, choices: Choices, walk: Walk) -> Folding:
        """Return the folds that a walk takes through choices of this program."""
        folds = {name: option.fold for name, option in self.wires.items()}
        for step, index in zip(choices.steps, walk.options, strict=True):
            folds[step.node.name] = step.options[index].fold
        return Folding(folds, walk.interval, resources(walk.cells))


#: Prices are floats, and their sums are off by less than this part of themselves.
ROUNDING = 1e-9
