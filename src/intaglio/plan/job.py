# SPDX-License-Identifier: Apache-2.0
"""A job: how much work there is, how fast each size does it, and what starting and saving take.

Work is counted in whole units, so that sums of it are exact: `Pace.rate` units a second on a size,
`Job.work` of them in all. The unit is the largest that all speeds are whole multiples of; where
that would be absurdly small, rates are rounded down, by less than one part in 10^9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from intaglio.devices.fields import read_toml
from intaglio.errors import IntaglioError
from intaglio.plan.money import HOUR, micro_dollars, seconds_of
from intaglio.plan.text_file import read_text

#: Rates above this are rounded instead; sums of work then still fit in 64 bits.
MOST_RATE = 10**9
_FIELDS = (
    "name",
    "epochs",
    "epoch_seconds",
    "speedup",
    "fraction",
    "alone",
    "source",
    "checkpoint",
    "boot",
    "restore",
    "deadline",
    "budget",
)


@dataclass(frozen=True)
class Pace:
    """How a job runs on one size of machine.

    `rate` is in units of work a second. Units: `save` is the time a checkpoint takes, `start` that
    from renting a machine until it works again (boot, load the image, restore), in seconds.
    """

    size: str
    rate: int
    save: int
    start: int


@dataclass(frozen=True)
class Job:
    """Work to be done by a deadline, or for a budget, or neither.

    `epoch` is the units of work that an epoch has. Units: seconds; micro-dollars.
    """

    name: str
    work: int
    epoch: int
    paces: tuple[Pace, ...]
    source: str
    deadline: int | None = None
    budget: int | None = None

    def __str__(self) -> str:
        speeds = ", ".join(f"{p.size} {self.epoch / p.rate:,.6g} s" for p in self.paces)
        return f"{self.name}: {self.work / self.epoch:g} epochs of {speeds} ({self.source})"

    def pace(self, size: str) -> Pace:
        """Return how the job runs on a size.

        Raises:
            IntaglioError: the job does not say.
        """
        for one in self.paces:
            if one.size == size:
                return one
        known = ", ".join(one.size for one in self.paces)
        raise IntaglioError(f"a size of {self.name} must be one of {known}, not {size!r}")

    @property
    def epochs(self) -> int:
        """The work in whole epochs.

        Raises:
            IntaglioError: it is not a whole number of them.
        """
        count = round(self.work / self.epoch)
        if count < 1 or abs(self.work / self.epoch - count) > 1e-6:
            raise IntaglioError(
                f"{self.name}: epochs must be a whole number to be trained, "
                f"not {self.work / self.epoch:g}"
            )
        return count

    @property
    def fastest(self) -> Pace:
        """The pace of the size that does most a second."""
        return max(self.paces, key=lambda one: one.rate)

    def alone(self, size: str) -> int:
        """Return the seconds the whole job takes on one machine that is never taken away."""
        one = self.pace(size)
        return one.start + -(-self.work // one.rate) + one.save

    def only(self, sizes: tuple[str, ...]) -> Job:
        """Return the job on some of its sizes alone."""
        return replace(self, paces=tuple(self.pace(size) for size in sizes))


def job(
    name: str,
    epochs: Fraction | int | str,
    epoch_seconds: Mapping[str, Fraction | float | str],
    *,
    checkpoint: int,
    boot: int,
    restore: int,
    source: str,
    deadline: int | None = None,
    budget: int | None = None,
) -> Job:
    """Make a job of its epochs and of the seconds an epoch takes on each size.

    Raises:
        IntaglioError: a number is not what it must be.
    """
    many = _positive(epochs, f"{name}: epochs")
    if not epoch_seconds:
        raise IntaglioError(f"{name}: epoch_seconds must hold a size at least; it is empty")
    each = {s: _positive(t, f"{name}: epoch_seconds.{s}") for s, t in epoch_seconds.items()}
    for what, seconds in (("checkpoint", checkpoint), ("boot", boot), ("restore", restore)):
        if not 0 <= seconds <= 24 * HOUR:
            raise IntaglioError(f"{name}: {what} must be from 0 s to 1 d, not {seconds} s")
    if deadline is not None and deadline < 1:
        raise IntaglioError(f"{name}: the deadline must lie in the future, not {deadline} s off")
    unit = math.lcm(*(t.numerator for t in each.values()), many.denominator)
    rates = {size: unit / t for size, t in each.items()}
    divisor = math.gcd(int(many * unit), *(int(rate) for rate in rates.values()))
    scale = Fraction(1, divisor)
    if max(rates.values()) * scale > MOST_RATE:
        scale = Fraction(MOST_RATE) / max(rates.values())
    paces = tuple(
        Pace(size, int(rate * scale), checkpoint, boot + restore) for size, rate in rates.items()
    )
    if any(pace.rate < 1 for pace in paces):
        raise IntaglioError(f"{name}: no size must be {MOST_RATE:,} times as slow as another")
    epoch = Fraction(unit) * scale
    work = math.ceil(many * epoch)
    if work > 1 << 60:
        raise IntaglioError(f"{name}: the work must take less than 30 years, not {epochs} epochs")
    return Job(name, work, max(1, round(epoch)), paces, source, deadline, budget)


def amdahl(
    alone: Fraction | float | str, fraction: Fraction | float | str, speedup: Mapping[str, Any]
) -> dict[str, Fraction]:
    """Predict the seconds of an epoch where only a fraction of it is sped up, by Amdahl's law.

    `alone` is the seconds of an epoch without any speed-up, `speedup` that of each size.

    Raises:
        IntaglioError: a number is not what it must be.
    """
    whole, part = _positive(alone, "alone"), _positive(fraction, "fraction")
    if part > 1:
        raise IntaglioError(f"the fraction that is sped up must be at most 1, not {fraction}")
    return {
        size: whole * (1 - part + part / _positive(factor, f"speedup.{size}"))
        for size, factor in speedup.items()
    }


def checkpoint_interval(save: float, preemptions_per_hour: float) -> float:
    """Return the seconds of work between checkpoints that lose least: sqrt(2 * save / rate).

    It is infinite where no machine is ever taken away.

    Source: J. W. Young, "A first order approximation to the optimum checkpoint interval", 1974;
    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart
    dumps", 2006.
    """
    if preemptions_per_hour <= 0:
        return math.inf
    return math.sqrt(2 * save * HOUR / preemptions_per_hour)


def read_job(path: Path) -> Job:
    """Read a job file (TOML).

    Raises:
        IntaglioError: it is missing, not TOML, or a field is missing, unknown or wrong.
    """
    return parse_job(read_text(path, "a job file"), str(path))


def parse_job(text: str, where: str) -> Job:
    """Read the text of a job file; `where` names it in errors.

    Speeds are given as `epoch_seconds`, a table of sizes, or are predicted from `alone`, `fraction`
    and `speedup`.

    Raises:
        IntaglioError: it is not TOML, or a field is missing, unknown or wrong.
    """
    document = read_toml(text, where)
    for name in document:
        if name not in _FIELDS:
            raise IntaglioError(
                f"{where}: a field must be one of {', '.join(_FIELDS)}, not {name!r}"
            )
    for name in ("name", "epochs", "source"):
        if document.get(name) in (None, ""):
            raise IntaglioError(f"{where}: {name} must be given; it is missing")
    times = {
        name: seconds_of(document.get(name, 0), f"{where}: {name}")
        for name in ("checkpoint", "boot", "restore")
    }
    speeds, source = _speeds(document, where)
    deadline, budget = document.get("deadline"), document.get("budget")
    return job(
        str(document["name"]),
        document["epochs"],
        speeds,
        **times,
        source=source,
        deadline=None if deadline is None else seconds_of(deadline, f"{where}: deadline"),
        budget=None if budget is None else micro_dollars(budget, f"{where}: budget"),
    )


def _speeds(document: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], str]:
    measured = document.get("epoch_seconds")
    predicted: list[Any] = [document.get(name) for name in ("alone", "fraction", "speedup")]
    if isinstance(measured, Mapping) and predicted == [None, None, None]:
        return measured, str(document["source"])
    if measured is not None or None in predicted or not isinstance(predicted[2], Mapping):
        raise IntaglioError(
            f"{where} must hold either a table epoch_seconds, or alone, fraction and a table "
            "speedup"
        )
    text = f"{document['source']}; predicted, {predicted[1]} of the time sped up"
    return amdahl(predicted[0], predicted[1], predicted[2]), text


def _positive(value: object, what: str) -> Fraction:
    if isinstance(value, int | float | str | Fraction) and not isinstance(value, bool):
        try:
            number = Fraction(value if isinstance(value, Fraction) else str(value))
        except (ValueError, ZeroDivisionError):
            number = Fraction(0)
        if 0 < number < 10**9:
            return number
    raise IntaglioError(f"{what} must be a number over 0 and below 10^9, not {value!r}")
