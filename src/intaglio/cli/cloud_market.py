# SPDX-License-Identifier: Apache-2.0
"""What the verbs of `intaglio cloud` share: the job, the prices, and when."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.arguments import share
from intaglio.errors import IntaglioError
from intaglio.plan.availability import Availability, read_availability
from intaglio.plan.catalog import Family, family, family_of
from intaglio.plan.generator import assumed, generate
from intaglio.plan.history_files import read_history
from intaglio.plan.job import Job, read_job
from intaglio.plan.market import CAP, LIST, PREEMPT, SPOT, Market, market
from intaglio.plan.money import HOUR, duration, moment, seconds_of
from intaglio.plan.prices import PriceHistory

DAY = 24 * HOUR
#: Where generated prices begin if nothing is said, and how long they last.
GENERATED_FROM, GENERATED_DAYS = "2026-01-01T00:00:00Z", 60
#: Slots are ten minutes in jobs up to a week, and half an hour in longer ones.
SHORT_SLOT, LONG_SLOT, LONG = 600, 1800, 7 * DAY


def add_market(parser: argparse.ArgumentParser) -> None:
    """Add the job, the prices and the rules of the market."""
    parser.add_argument("job", metavar="JOB.toml", type=Path, help="the job: epochs, speeds, times")
    add_prices(parser)
    parser.add_argument("--start", metavar="TIME", help="when it begins, e.g. 2020-03-01T12:00:00Z")
    parser.add_argument(
        "--slot", metavar="TIME", help="length of a slot (default 10m, from 7d 30m)"
    )
    parser.add_argument(
        "--kinds", default=f"{SPOT},{LIST}", metavar="K,K", help="spot, list or both (default)"
    )
    parser.add_argument(
        "--above-list",
        choices=(PREEMPT, CAP),
        default=PREEMPT,
        help="what becomes of a spot machine dearer than list price: taken away (default), or kept",
    )
    parser.add_argument(
        "--availability",
        metavar="SIZE=FILE",
        action="append",
        default=[],
        help="a trace of when spot machines of a size can be had",
    )


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add where prices come from."""
    parser.add_argument(
        "--prices",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a price history (AWS's JSON or CSV) or a folder of them; may be given again",
    )
    parser.add_argument(
        "--generate", metavar="SEED", type=int, help="make prices up where there is no history"
    )
    parser.add_argument(
        "--spot-share",
        type=share,
        metavar="S",
        help="take spot for this share of list price, as where only availability is known",
    )
    parser.add_argument(
        "--family", metavar="NAME", help="a family of the catalog, or a .toml file of your own"
    )
    parser.add_argument("--zones", metavar="Z,Z", help="only these zones (default: all there are)")


def words(text: str | None) -> tuple[str, ...]:
    """Split a list that is separated by commas."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def chosen_family(arguments: argparse.Namespace, job: Job) -> Family:
    """Return the family that the arguments name, or the one that has the job's sizes."""
    return family(arguments.family) if arguments.family else family_of(job.paces[0].size)


def chosen_history(arguments: argparse.Namespace, sizes: Family) -> PriceHistory | None:
    """Return the prices that the arguments name, or make them up; None without either.

    Raises:
        IntaglioError: both are asked for, or nothing says where.
    """
    zones = words(arguments.zones)
    given = [bool(arguments.prices), *(n is not None for n in _made_up(arguments))]
    if sum(given) > 1:
        raise IntaglioError(
            "prices must be read or made up: give one of --prices, --generate and --spot-share"
        )
    start = moment(GENERATED_FROM, "start")
    if arguments.spot_share is not None:
        places = zones or (f"{sizes.sizes[0].listed[0][0]}a",)
        listed = {one.name: one.list_price(places[0]) for one in sizes.sizes}
        return assumed(listed, places, arguments.spot_share, start=start)
    if arguments.generate is not None:
        places = zones or tuple(f"{sizes.sizes[0].listed[0][0]}{letter}" for letter in "abc")
        listed = {one.name: one.list_price(places[0]) for one in sizes.sizes}
        seconds = GENERATED_DAYS * DAY
        return generate(listed, places, start=start, seconds=seconds, seed=arguments.generate)
    if not arguments.prices:
        return None
    return read_history(*arguments.prices).only(zones or None, [one.name for one in sizes.sizes])


def _made_up(arguments: argparse.Namespace) -> tuple[int | None, float | None]:
    return arguments.generate, arguments.spot_share


def chosen_market(
    arguments: argparse.Namespace, job: Job, horizon: int, *, longest: int | None = None
) -> Market:
    """Return the job on the market that the arguments describe, for so many seconds.

    `longest` is how long the job may take, if that is less: slots are chosen by it.

    Raises:
        IntaglioError: an argument is wrong.
    """
    sizes = chosen_family(arguments, job)
    history = chosen_history(arguments, sizes)
    slot = chosen_slot(arguments, longest or horizon)
    start = 0
    if history is not None:
        history = history.only(None, [pace.size for pace in job.paces])
        start = history.span[0]
    if arguments.start is not None:
        start = moment(arguments.start, "--start")
    return market(
        job,
        sizes,
        slots=horizon // slot,
        slot=slot,
        history=history,
        start=start,
        regions=words(arguments.zones) or (sizes.sizes[0].listed[0][0],),
        kinds=_kinds(arguments.kinds),
        above_list=arguments.above_list,
        availability=traces(arguments),
    )


def chosen_slot(arguments: argparse.Namespace, horizon: int) -> int:
    """Return the length of a slot."""
    if arguments.slot is not None:
        return seconds_of(arguments.slot, "--slot")
    return SHORT_SLOT if horizon <= LONG else LONG_SLOT


def chosen_job(arguments: argparse.Namespace) -> Job:
    """Read the job that the arguments name."""
    return read_job(arguments.job)


def horizon_of(text: str | None, default: int, what: str) -> int:
    """Read how far to look ahead.

    Raises:
        IntaglioError: it is no time, or none at all.
    """
    seconds = default if text is None else seconds_of(text, what)
    if seconds < 60:
        raise IntaglioError(f"{what} must be a minute at least, not {duration(seconds)}")
    return seconds


def _kinds(text: str) -> tuple[str, ...]:
    kinds = words(text)
    for kind in kinds:
        if kind not in (SPOT, LIST):
            raise IntaglioError(f"--kinds must be {SPOT}, {LIST} or both, not {kind!r}")
    return kinds


def traces(arguments: argparse.Namespace) -> dict[str, Availability]:
    """Read the availability traces that the arguments name, by size."""
    return dict(_availability(text) for text in arguments.availability)


def _availability(text: str) -> tuple[str, Availability]:
    size, _, file = text.partition("=")
    if not file:
        raise IntaglioError(f"--availability must be like p3.2xlarge=FILE, not {text!r}")
    return size, read_availability(Path(file))
