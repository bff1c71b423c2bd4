# SPDX-License-Identifier: Apache-2.0
"""Prices made up where no history exists, and labeled so wherever they are shown.

The logarithm of a price, as a share of the list price, returns to its mean while it is pushed about
at random (an Ornstein-Uhlenbeck process), spikes now and then, and never rises above list price:
since 2017 the real ones do not either. Steps have random lengths. A seed makes the same prices on
every machine. It is no model of any real market; it is for tests, and for trying things out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from intaglio.errors import IntaglioError
from intaglio.plan.money import HOUR, LEAST_PRICE
from intaglio.plan.prices import PriceHistory, Record, history


@dataclass(frozen=True)
class Shape:
    """What generated prices look like.

    `level` is the share of the list price they return to, within `return_hours`; `volatility` the
    deviation of their logarithm in the long run; `step_hours` the mean time between changes;
    `spikes_a_day` how often the price jumps to a random share of up to 1, for about `spike_hours`.
    """

    level: float = 0.3
    volatility: float = 0.1
    return_hours: float = 24.0
    step_hours: float = 4.0
    spikes_a_day: float = 0.1
    spike_hours: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.level <= 1:
            raise IntaglioError(f"the level must be a share over 0 and up to 1, not {self.level}")
        for name in ("return_hours", "step_hours", "spike_hours"):
            if not 0 < getattr(self, name) < math.inf:
                raise IntaglioError(f"{name} must be a number over 0, not {getattr(self, name)}")
        for name in ("volatility", "spikes_a_day"):
            if not 0 <= getattr(self, name) < math.inf:
                raise IntaglioError(f"{name} must be 0 or more, not {getattr(self, name)}")


def generate(
    listed: Mapping[str, int],
    zones: Sequence[str],
    *,
    start: int,
    seconds: int,
    seed: int,
    shape: Shape | None = None,
) -> PriceHistory:
    """Make prices of sizes in zones, none above its list price.

    Units: list prices in micro-dollars an hour; `start` in seconds since 1970.

    Raises:
        IntaglioError: the time is empty.
    """
    if seconds < 1:
        raise IntaglioError(f"generated prices must last a second at least, not {seconds}")
    shape = shape or Shape()
    records = [
        Record(start + time, zone, size, max(LEAST_PRICE, min(price, round(price * share))))
        for zone in zones
        for size, price in listed.items()
        for time, share in _shares(Random(f"{seed} {zone} {size}"), shape, seconds)  # noqa: S311
    ]
    return history(records, f"generator, seed {seed}", generated=True)


def assumed(
    listed: Mapping[str, int], zones: Sequence[str], share: float, *, start: int
) -> PriceHistory:
    """Make spot prices that are a share of list price and never change, where only traces exist.

    Raises:
        IntaglioError: the share is none.
    """
    if not 0 < share <= 1:
        raise IntaglioError(f"the share of list price must be over 0 and up to 1, not {share}")
    records = [
        Record(start, zone, size, max(LEAST_PRICE, round(price * share)))
        for zone in zones
        for size, price in listed.items()
    ]
    return history(records, f"assumed at {share:g} of list price", generated=True)


def _shares(random: Random, shape: Shape, seconds: int) -> Iterator[tuple[int, float]]:
    """Give (time, share of list price); the share may exceed 1 and is then cut off."""
    mean = math.log(shape.level)
    state, time, spike_end = random.gauss(mean, shape.volatility), 0.0, -1.0
    spike = 0.0
    while time < seconds:
        yield int(time), math.exp(state) if time >= spike_end else spike
        step = max(60.0, random.expovariate(1 / (shape.step_hours * HOUR)))
        keep = math.exp(-step / (shape.return_hours * HOUR))
        state = mean + (state - mean) * keep
        state += random.gauss(0, shape.volatility * math.sqrt(1 - keep * keep))
        time += step
        if random.random() < 1 - math.exp(-shape.spikes_a_day * step / (24 * HOUR)):
            spike = random.uniform(shape.level, 1.3)
            spike_end = time + random.expovariate(1 / (shape.spike_hours * HOUR))
