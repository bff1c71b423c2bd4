# SPDX-License-Identifier: Apache-2.0
"""A schedule: what is rented when, and what it costs and does, reckoned exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intaglio.errors import IntaglioError
from intaglio.plan.market import Market
from intaglio.plan.money import LEAST_BILLED_SECONDS, bill


@dataclass(frozen=True)
class Stint:
    """A machine rented without interruption: a mode's index, and its seconds from the start on."""

    mode: int
    begin: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """Stints in order of time, what they cost in all, and the work that is saved at their end.

    Units: micro-dollars; seconds from the start of the market until the job is done.
    """

    stints: tuple[Stint, ...]
    cost: int
    work: int

    @property
    def finish(self) -> int:
        """When the last machine is given back."""
        return self.stints[-1].end if self.stints else 0

    @property
    def rented(self) -> int:
        """Seconds for which machines are rented."""
        return sum(stint.end - stint.begin for stint in self.stints)


def stint_cost(market: Market, stint: Stint) -> int:
    """Return what a stint costs: each slot by its mean price, 60 s at least."""
    cost, at = 0, stint.begin
    end = max(stint.end, stint.begin + LEAST_BILLED_SECONDS)
    while at < end:
        index = at // market.slot
        until = min(end, (index + 1) * market.slot)
        cost += bill(int(market.paid[index, stint.mode]), until - at)
        at = until
    return cost


def stint_work(market: Market, stint: Stint) -> int:
    """Return the work of a stint that ends with a checkpoint; 0 if it is too short to do any."""
    working = stint.end - stint.begin - int(market.begin[stint.mode] + market.save[stint.mode])
    return max(0, working) * int(market.rate[stint.mode])


def schedule(market: Market, stints: Sequence[Stint]) -> Schedule:
    """Reckon what stints cost and do, having checked that each is possible.

    Raises:
        IntaglioError: stints overlap, or a machine is not there.
    """
    before = 0
    for stint in stints:
        first, last = stint.begin // market.slot, -(-stint.end // market.slot)
        mode = market.modes[stint.mode]
        if stint.begin < before or stint.end <= stint.begin or last > market.slots:
            raise IntaglioError(
                f"a stint must begin after the one before it, not at {stint.begin} s"
            )
        if not market.there[first:last, stint.mode].all():
            raise IntaglioError(f"{mode} must be there from slot {first} to {last}; it is not")
        if market.reclaimed[first + 1 : last, stint.mode].any():
            raise IntaglioError(f"{mode} must stay from slot {first} to {last}; it is taken away")
        before = stint.end
    return Schedule(
        tuple(stints),
        sum(stint_cost(market, stint) for stint in stints),
        sum(stint_work(market, stint) for stint in stints),
    )
