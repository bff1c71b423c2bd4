# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud prices`: what a history holds; prices read live, or made up, and saved."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.cli.cloud_market import DAY, add_prices, chosen_history, words
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.plan import aws
from intaglio.plan.catalog import Family, families, family, family_of
from intaglio.plan.history_files import read_history, save_history
from intaglio.plan.money import MICRO, clock
from intaglio.plan.prices import PriceHistory, Series
from intaglio.report.summary import aligned

HELP = "show a price history; read one from AWS, or make one up"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_prices(parser)
    parser.add_argument("--live", metavar="REGION", help="read from AWS, with your own credentials")
    parser.add_argument("--days", type=int, default=30, metavar="N", help="of --live (default 30)")
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FILE.csv", help="save what was read"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Read, show and save."""
    found = _found(arguments)
    text, document = _shown(found)
    if arguments.output is not None:
        save_history(arguments.output, found)
        document["output"] = str(arguments.output)
        text += f"\n{arguments.output}"
    return Outcome(text, document)


def _found(arguments: argparse.Namespace) -> PriceHistory:
    if arguments.live is not None:
        if not arguments.family:
            raise IntaglioError(f"--live must have a --family, one of {', '.join(families())}")
        sizes = [one.name for one in family(arguments.family).sizes]
        start = int(time.time()) - arguments.days * DAY
        return aws.live_history(aws.client(arguments.live), sizes, start)
    if arguments.prices and not arguments.family:
        found = read_history(*arguments.prices)
        return found.only(words(arguments.zones) or None, found.sizes)
    if not arguments.family:
        raise IntaglioError("prices must come from somewhere: --prices FILE, --live or --generate")
    history = chosen_history(arguments, family(arguments.family))
    if history is None:
        return _listed(family(arguments.family))
    return history


def _listed(sizes: Family) -> PriceHistory:
    """Stop: list prices never change.

    Raises:
        IntaglioError: always, with the list prices.
    """
    known = ", ".join(
        f"{one.name} ${one.listed[0][1] / MICRO:g} in {one.listed[0][0]}" for one in sizes.sizes
    )
    raise IntaglioError(f"a history must be given: --prices, --live or --generate; listed: {known}")


def _shown(found: PriceHistory) -> tuple[str, dict[str, Any]]:
    rows: list[tuple[str, ...]] = [
        ("zone", "size", "prices", "from", "to", "least", "median", "most", "of list")
    ]
    document: dict[str, Any] = {"prices": str(found), "generated": found.generated, "series": []}
    for (zone, size), series in found.series.items():
        least, median, most = _spread(series)
        first, last = clock(int(series.times[0])), clock(int(series.times[-1]))
        count = len(series.times)
        share = _share(size, zone, median)
        money = tuple(f"{price / MICRO:.4f}" for price in (least, median, most))
        rows.append((zone, size, f"{count:,}", first[:10], last[:10], *money, share))
        document["series"].append(
            {
                "zone": zone,
                "size": size,
                "prices": count,
                "first": first,
                "last": last,
                "least_micro_usd": least,
                "median_micro_usd": median,
                "most_micro_usd": most,
            }
        )
    return "\n".join((str(found), *aligned(rows))), document


def _spread(series: Series) -> tuple[int, int, int]:
    """Return the least, the median over time, and the most."""
    held = np.diff(series.times, append=series.times[-1] + 1)
    order = np.argsort(series.prices)
    half = np.searchsorted(np.cumsum(held[order]), held.sum() / 2)
    return int(series.prices.min()), int(series.prices[order][half]), int(series.prices.max())


def _share(size: str, zone: str, price: int) -> str:
    try:
        return f"{price / family_of(size).size(size).list_price(zone):.1%}"
    except IntaglioError:
        return "-"
