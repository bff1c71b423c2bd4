# SPDX-License-Identifier: Apache-2.0
"""Write into docs/cloud.md what 56.28 % less money for 16.00 % more time takes, by reading.

    python benchmarks/cloud_published.py --data DIR [--starts N]

A thesis reports it for training on 1, 2 or 8 FPGAs, against 8 throughout, and gives neither prices
nor speeds of whole jobs. DIR holds price histories of g2.2xlarge of 2015 and p2.xlarge of 2020, as
`aws ec2 describe-spot-price-history` prints them; sizes of 1, 2 and 8 boards cost 1, 2 and 8 times
as much. Without DIR, list prices alone are evaluated. Each figure is an exact optimum.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from intaglio.plan.catalog import Family, parse_family
from intaglio.plan.history_files import read_history
from intaglio.plan.job import Job, amdahl, job
from intaglio.plan.market import CAP, LIST, SPOT, Market, market
from intaglio.plan.money import HOUR
from intaglio.plan.optimum import optimum
from intaglio.plan.prices import PriceHistory, Series
from intaglio.plan.schedule import Stint, stint_cost

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cloud.md"
BEGIN, END = "<!-- by benchmarks/cloud_published.py -->", "<!-- end of the published point -->"
SAVING, MORE = 0.5628, Fraction(16, 100)
BOARDS = {"x1": 1, "x2": 2, "x8": 8}
#: Published speed-ups of the LSTM layers, and the part of the time these take.
LAYERS, FRACTION = {"x1": "1.05", "x2": "2.09", "x8": "6.00"}, "0.48"
SLOT, HOURS, START_SECONDS = 600, 24, 600
#: How far the curve is followed to see when the saving is reached, over 8 boards throughout.
FURTHEST = 1.0


@dataclass(frozen=True)
class Found:
    """Savings against 8 boards throughout, for each start; `late` is the extra time that it takes.

    `timing` is what 8 boards alone save, `sizes` what choosing sizes saves at flat prices.
    """

    every: np.ndarray
    timing: np.ndarray
    late: np.ndarray
    sizes: float


def speeds() -> dict[str, Mapping[str, Fraction]]:
    """Return seconds of an epoch, an hour on 8 boards, under each reading of the speed-ups."""
    readings = {
        "layers, 2.87": amdahl(1, 1, LAYERS),
        "whole job, 1.249": amdahl(1, FRACTION, LAYERS),
        "assumed, 1.2": {"x1": Fraction(13, 10), "x2": Fraction(12, 10), "x8": Fraction(1)},
    }
    return {
        name: {size: HOUR * time / times["x8"] for size, time in times.items()}
        for name, times in readings.items()
    }


def a_family(board_price: float) -> Family:
    """Return sizes of 1, 2 and 8 boards, linear in price."""
    rows = [
        f'[[size]]\nname = "{size}"\nboards = {boards}\n'
        f"list_usd_per_hour = {{ us-east-1 = {board_price * boards:g} }}\n"
        'source = "boards times the price of one"\ndate = "-"\n'
        for size, boards in BOARDS.items()
    ]
    text = 'name = "boards"\nprovider = "-"\nboard = "-"\n' + "".join(rows)
    return parse_family(text, "boards")


def in_sizes(history: PriceHistory) -> PriceHistory:
    """Turn the prices of one board into those of 1, 2 and 8."""
    return PriceHistory(
        {
            (zone, size): Series(one.times, one.prices * boards)
            for (zone, _), one in history.series.items()
            for size, boards in BOARDS.items()
        },
        history.origin,
    )


def evaluate(
    seconds: Mapping[str, Fraction], price: float, history: PriceHistory | None, starts: int
) -> Found:
    """Find what the optimum saves from every start."""
    times = {"checkpoint": 0, "boot": START_SECONDS, "restore": 0}
    whole = job("published", HOURS, seconds, **times, source="published")
    sizes = a_family(price)
    alone = whole.alone("x8")
    slots = int(alone * (1 + FURTHEST)) // SLOT
    flat = market(whole, sizes, slots=slots, regions=["us-east-1"], kinds=(LIST,))
    at_list = savings(whole, flat)
    if history is None:
        return gathered([at_list], at_list[0])
    first, last = history.span
    firsts = np.linspace(0, (last - first) // SLOT - slots - 1, starts).astype(int)
    found = [
        savings(
            whole,
            market(
                whole,
                sizes,
                slots=slots,
                history=history,
                start=first + int(k) * SLOT,
                kinds=(SPOT,),
                above_list=CAP,
            ),
        )
        for k in firsts
    ]
    return gathered(found, at_list[0])


def gathered(found: Sequence[tuple[float, float, float]], sizes: float) -> Found:
    """Put the savings of all starts together."""
    every, timing, late = np.array(found).T
    return Found(every, timing, late, sizes)


def savings(whole: Job, where: Market) -> tuple[float, float, float]:
    """Return what the optimum saves, what on 8 boards alone, and when 56.28 % are saved."""
    eight = next(i for i, mode in enumerate(where.modes) if mode.size == "x8")
    cost = stint_cost(where, Stint(eight, 0, whole.alone("x8")))
    deadline = int(whole.alone("x8") * (1 + MORE)) // SLOT
    every = optimum(where)
    only = optimum(only_mode(where, eight))
    saved = 1 - every.least / cost
    enough = np.flatnonzero(saved >= SAVING)
    late = every.finish(int(enough[0])) / whole.alone("x8") - 1 if len(enough) else np.inf
    return float(saved[deadline - 1]), float(1 - only.least[deadline - 1] / cost), float(late)


def only_mode(where: Market, mode: int) -> Market:
    """Return a market on which nothing else is there."""
    there = np.zeros_like(where.there)
    there[:, mode] = where.there[:, mode]
    return Market(
        where.job, where.start, where.slot, where.modes, where.paid, where.quoted, there,
        ~there, where.rate, where.save, where.begin, where.origin,
    )  # fmt: skip


def row(prices: str, reading: str, found: Found) -> str:
    """Print a line of the table."""
    reached = int((found.every >= SAVING).sum())
    middle = float(np.median(found.late))
    when = f"{middle:+.1%}" if np.isfinite(middle) else f"beyond {FURTHEST:+.0%}"
    return (
        f"| {prices} | {reading} | {spread(found.every)} | {found.sizes:.1%} | "
        f"{spread(found.timing)} | {reached} of {len(found.every)} | {when} |"
    )


def spread(values: np.ndarray) -> str:
    """Print median and range."""
    values = np.round(values, 3) + 0.0  # no minus before a zero
    if len(values) == 1:
        return f"{values[0]:.1%}"
    return f"{np.median(values):.1%} ({values.min():.1%} to {values.max():.1%})"


def histories(data: Path | None) -> list[tuple[str, float, PriceHistory | None]]:
    """Return names, list prices of a board, and prices."""
    found: list[tuple[str, float, PriceHistory | None]] = [("list price", 1.65, None)]
    if data is None:
        return found
    for zone in ("us-east-1a", "us-east-1e"):
        path = data / f"aws-g2.2xlarge-{zone}-2015.csv"
        if path.is_file():
            prices = in_sizes(read_history(path))
            found.append((f"2015, {zone}, at most list", 0.65, prices))
            found.append((f"2015, {zone}, as bid", 65.0, prices))
    for path in sorted(data.glob("aws-p2p3-*.csv")):
        for zone in ("us-east-1a", "us-east-1c"):
            prices = in_sizes(read_history(path).only([zone], ["p2.xlarge"]))
            found.append((f"2020, {zone}", 0.90, prices))
    return found


def table(data: Path | None, starts: int) -> list[str]:
    """Evaluate every reading on every history."""
    lines = [
        "| prices | speed-ups, t2/t8 | saved at +16 % | of it by sizes, at flat prices | "
        "8 boards alone, by timing | starts that reach 56.28 % | reached at |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, price, history in histories(data):
        for reading, seconds in speeds().items():
            lines.append(row(name, reading, evaluate(seconds, price, history, starts)))
            print(lines[-1], flush=True)
    return lines


def against_list(data: Path | None) -> Sequence[str]:
    """Say what spot alone saves against list price: the same size, no plan at all."""
    lines = []
    for name, price, history in histories(data):
        if history is not None and name.startswith("2020"):
            eight = [one for (_, size), one in history.series.items() if size == "x8"]
            less = 1 - float(np.mean([one.prices.mean() for one in eight])) / (8e6 * price)
            lines.append(
                f"- {name}: 8 boards on spot throughout cost {less:.1%} less than at list price, "
                "in no more time."
            )
    return lines


def main() -> None:
    """Evaluate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--starts", type=int, default=24)
    arguments = parser.parse_args()
    lines = [*table(arguments.data, arguments.starts), "", *against_list(arguments.data)]
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    body = "\n".join(lines).strip()
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
