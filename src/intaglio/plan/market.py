# SPDX-License-Identifier: Apache-2.0
"""A job on a market: what can be rented in each slot of time, its price, and how fast it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.plan.availability import Availability
from intaglio.plan.catalog import Family
from intaglio.plan.job import Job, checkpoint_interval
from intaglio.plan.money import HOUR, LEAST_BILLED_SECONDS, clock
from intaglio.plan.prices import NO_PRICE, PriceHistory

SPOT, LIST = "spot", "list"
#: What happens to a spot machine whose price rises above the list price: it is taken away (AWS's
#: default), or goes on at list price (as if it were exchanged at no cost).
PREEMPT, CAP = "preempt", "cap"
#: More slots than this are a mistake in units; tables would not fit in memory.
MOST_SLOTS = 30_000
#: Rates are made as fine as this before they are scaled.
FINE_RATE = 10**6


@dataclass(frozen=True)
class Mode:
    """One thing that can be rented: a size, in a zone (or region), on spot or at list price."""

    size: str
    zone: str
    kind: str

    def __str__(self) -> str:
        return f"{self.size} {self.kind} {self.zone}"


@dataclass(frozen=True, eq=False)
class Market:
    """What a job can rent in each slot; slots are `slot` seconds long, from `start` on.

    `quoted` is the price when a slot begins, `paid` the mean over the slot, `there` whether the
    machine can be had all through the slot, and `reclaimed` whether one that runs when the slot
    begins is taken away at that moment, even if another one can be had at once.

    Shapes: `paid`, `quoted`, `there`, `reclaimed` [slots, modes]; `rate`, `save`, `begin` [modes].
    Units: micro-dollars an hour; work a second; `save` and `begin` (rented until working) seconds.
    """

    job: Job
    start: int
    slot: int
    modes: tuple[Mode, ...]
    paid: np.ndarray
    quoted: np.ndarray
    there: np.ndarray
    reclaimed: np.ndarray
    rate: np.ndarray
    save: np.ndarray
    begin: np.ndarray
    origin: str

    def __post_init__(self) -> None:
        _check_slots(self.slots, self.slot)
        slow = max(self.save.tolist())
        if slow >= self.slot:
            raise IntaglioError(
                f"a slot must last longer than a checkpoint, {slow} s, not {self.slot} s"
            )

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(self.paid)

    @cached_property
    def safe(self) -> int | None:
        """The fastest mode at list price, the one that is taken to be there always, if any."""
        listed = [i for i, mode in enumerate(self.modes) if mode.kind == LIST]
        if not listed:
            return None
        return max(listed, key=lambda i: (int(self.rate[i]), -int(self.paid[0, i])))

    def window(self, first: int, slots: int) -> Market:
        """Return some slots of it as a market of their own."""
        if not 0 <= first <= first + slots <= self.slots:
            raise IntaglioError(
                f"prices must last {slots} slots from slot {first} on, not end at {self.slots}"
            )
        part = slice(first, first + slots)
        return replace(
            self,
            start=self.start + first * self.slot,
            paid=self.paid[part],
            quoted=self.quoted[part],
            there=self.there[part],
            reclaimed=self.reclaimed[part],
        )

    def slowed(self, preemptions_per_hour: float) -> Market:
        """Return it with spot machines as slow as preemptions make them in the mean.

        Checkpoints are taken at the best interval; a preemption loses half of one, and a start.
        """
        if preemptions_per_hour <= 0:
            return self
        finer = max(1, FINE_RATE // int(self.rate.min()))
        paces = tuple(replace(pace, rate=pace.rate * finer) for pace in self.job.paces)
        job = replace(
            self.job, work=self.job.work * finer, epoch=self.job.epoch * finer, paces=paces
        )
        rates = self.rate * finer
        for i, mode in enumerate(self.modes):
            save, begin = int(self.save[i]), int(self.begin[i])
            every = max(checkpoint_interval(save, preemptions_per_hour), 1.0)
            lost = save / every + preemptions_per_hour / HOUR * (every / 2 + begin)
            if mode.kind == SPOT:
                rates[i] = max(1, int(rates[i] / (1 + lost)))
        return replace(self, job=job, rate=rates)


def _check_slots(slots: int, slot: int) -> None:
    if not LEAST_BILLED_SECONDS <= slot <= 24 * HOUR:
        raise IntaglioError(
            f"a slot must last from {LEAST_BILLED_SECONDS} s, which are billed at least, to a day, "
            f"not {slot} s"
        )
    if not 1 <= slots <= MOST_SLOTS:
        raise IntaglioError(
            f"there must be 1 to {MOST_SLOTS:,} slots, not {slots:,}: choose another length than "
            f"{slot} s"
        )


def market(
    job: Job,
    family: Family,
    *,
    slots: int,
    slot: int = 600,
    history: PriceHistory | None = None,
    start: int = 0,
    regions: Sequence[str] = (),
    kinds: Sequence[str] = (SPOT, LIST),
    above_list: str = PREEMPT,
    availability: Mapping[str, Availability] | None = None,
) -> Market:
    """Put a job's sizes, and what they cost, on slots of time.

    Spot machines come from the history, one mode for each zone and size; machines at list price
    from the catalog, one for each region of these zones, or of `regions` without a history.
    Availability is by size, and counts from the history's first moment with all prices.

    Raises:
        IntaglioError: nothing can be rented, or the time is outside the history.
    """
    _check_slots(slots, slot)
    edges = start + slot * np.arange(slots + 1, dtype=np.int64)
    columns: list[Column] = []
    if SPOT in kinds and history is not None:
        columns += list(_spot(job, family, history, edges, above_list, availability or {}))
    if LIST in kinds:
        zones = history.zones if history is not None else tuple(regions)
        columns += list(_listed(job, family, zones, slots))
    if not columns:
        raise IntaglioError("something must be for rent: give a history, a region, or --kinds list")
    modes = tuple(mode for mode, *_ in columns)
    paces = [job.pace(mode.size) for mode in modes]
    tables = [np.stack(table, axis=1) for table in list(zip(*columns, strict=True))[1:]]
    paid, quoted, there, reclaimed = (np.ascontiguousarray(table) for table in tables)
    return Market(
        job,
        start,
        slot,
        modes,
        paid,
        quoted,
        there,
        reclaimed,
        np.array([pace.rate for pace in paces], dtype=np.int64),
        np.array([pace.save for pace in paces], dtype=np.int64),
        np.array([pace.start for pace in paces], dtype=np.int64),
        "list prices alone" if history is None else str(history),
    )


Column = tuple[Mode, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _spot(
    job: Job,
    family: Family,
    history: PriceHistory,
    edges: np.ndarray,
    above_list: str,
    availability: Mapping[str, Availability],
) -> Iterator[Column]:
    found = history.only(None, [pace.size for pace in job.paces])
    first, last = found.span
    if edges[0] < min(int(one.times[0]) for one in found.series.values()) or edges[0] > last:
        raise IntaglioError(
            f"the job must begin between {clock(first)} and {clock(last)}, where the history has "
            f"prices, not at {clock(int(edges[0]))}"
        )
    for (zone, size), series in found.series.items():
        most = family.size(size).list_price(zone)
        paid, quoted = series.means(edges), series.at(edges[:-1])
        there = paid != NO_PRICE
        if above_list == CAP:
            paid, quoted = np.minimum(paid, most), np.minimum(quoted, most)
        else:
            there &= (paid <= most) & (quoted <= most)
        if size in availability:
            there &= availability[size].between(edges - first)
        yield Mode(size, zone, SPOT), paid, quoted, there, ~there


def _listed(job: Job, family: Family, zones: Sequence[str], slots: int) -> Iterator[Column]:
    seen: set[tuple[str, str]] = set()
    for zone in zones:
        for pace in job.paces:
            size = family.size(pace.size)
            region = next((name for name, _ in size.listed if zone.startswith(name)), zone)
            price = np.full(slots, size.list_price(zone), dtype=np.int64)
            if (pace.size, region) not in seen:
                seen.add((pace.size, region))
                always = np.ones(slots, dtype=bool)
                yield Mode(pace.size, region, LIST), price, price, always, ~always
