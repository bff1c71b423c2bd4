# SPDX-License-Identifier: Apache-2.0
"""A plan of what to rent when, as a table, as JSON, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intaglio.artifact import write_atomic
from intaglio.errors import IntaglioError
from intaglio.plan.market import Market
from intaglio.plan.money import MICRO, bill, clock, dollars, duration
from intaglio.plan.optimum import Plan
from intaglio.plan.schedule import Schedule, stint_cost, stint_work
from intaglio.report.cloud_plots import curve_png, gantt_png
from intaglio.report.front import ENDINGS
from intaglio.report.summary import aligned


def plan_text(found: Plan) -> str:
    """Return the schedule, what it costs, and how far the least cost may be from that."""
    market = found.optimum.market
    return "\n".join(
        (
            str(market.job),
            market.origin,
            f"from {clock(market.start)}, in slots of {duration(market.slot)}",
            "",
            *aligned(_rows(market, found.schedule)),
            "",
            *_sums(found),
        )
    )


def _rows(market: Market, chosen: Schedule) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("rent", "after", "for", "epochs", "cost")]
    before = 0
    for stint in chosen.stints:
        if stint.begin > before:
            rows.append(("pause", duration(before), duration(stint.begin - before), "", ""))
        rows.append(
            (
                str(market.modes[stint.mode]),
                duration(stint.begin),
                duration(stint.end - stint.begin),
                f"{stint_work(market, stint) / market.job.epoch:.2f}",
                dollars(stint_cost(market, stint)),
            )
        )
        before = stint.end
    return rows


def _sums(found: Plan) -> list[str]:
    market, chosen = found.optimum.market, found.schedule
    spare = duration(found.deadline - chosen.finish)
    lines = [
        f"{dollars(chosen.cost)} and {duration(chosen.finish)}, {spare} before the deadline; "
        f"{len(chosen.stints)} machines one after the other",
        _proof(found),
    ]
    throughout = largest_at_list(market)
    if throughout is not None:
        name, seconds, cost = throughout
        lines.append(
            f"{name} throughout: {dollars(cost)} and {duration(seconds)}; this is "
            f"{1 - chosen.cost / cost:.2%} less money for {chosen.finish / seconds - 1:.2%} more "
            "time"
        )
    lines.append(
        "prices are taken as known; what can be had without knowing them: intaglio cloud simulate"
    )
    return lines


def _proof(found: Plan) -> str:
    grid, cost = found.optimum.grid, found.schedule.cost
    bound = f"Lagrange's bound is {dollars(found.bound)}"
    if grid.exact:
        return f"proven least: work in exact cells; {bound}"
    return (
        f"the least possible lies from {dollars(found.floor)} to {dollars(cost)}, "
        f"{found.gap:.3%} apart: work in {-(-found.optimum.market.job.work // grid.cell):,} cells; "
        f"{bound}"
    )


def largest_at_list(market: Market) -> tuple[str, int, int] | None:
    """Return the fastest size at list price: its name, and seconds and cost of the job on it."""
    if market.safe is None:
        return None
    mode = market.modes[market.safe]
    seconds = market.job.alone(mode.size)
    return str(mode), seconds, bill(int(market.paid[0, market.safe]), seconds)


def plan_document(found: Plan) -> dict[str, Any]:
    """Return a plan as JSON types: micro-dollars and seconds, all whole numbers."""
    market, chosen = found.optimum.market, found.schedule
    return {
        "job": market.job.name,
        "prices": market.origin,
        "start": clock(market.start),
        "slot_seconds": market.slot,
        "deadline_seconds": found.deadline,
        "finish_seconds": chosen.finish,
        "cost_micro_usd": chosen.cost,
        "floor_micro_usd": found.floor,
        "bound_micro_usd": found.bound,
        "exact": found.optimum.grid.exact,
        "schedule": [
            {
                "size": market.modes[stint.mode].size,
                "zone": market.modes[stint.mode].zone,
                "kind": market.modes[stint.mode].kind,
                "begin_seconds": stint.begin,
                "end_seconds": stint.end,
                "cost_micro_usd": stint_cost(market, stint),
                "epochs": stint_work(market, stint) / market.job.epoch,
            }
            for stint in chosen.stints
        ],
        "curve": [{"seconds": s, "cost_micro_usd": cost} for s, cost in found.optimum.points()],
    }


def save_curve(path: Path, found: Plan) -> None:
    """Write the least cost for every deadline as a table (.csv) or a picture (.png).

    Raises:
        IntaglioError: the file's name ends otherwise.
    """
    if path.suffix not in ENDINGS:
        raise IntaglioError(f"--curve must end in {' or '.join(ENDINGS)}, not be {path.name!r}")
    points = found.optimum.points()
    if path.suffix == ".csv":
        rows = [f"{seconds},{cost / MICRO:.6f}" for seconds, cost in points]
        write_atomic(path, ("\n".join(["seconds,usd", *rows]) + "\n").encode())
        return
    hours = [seconds / 3600 for seconds, _ in points]
    costs = [cost / MICRO for _, cost in points]
    chosen = found.schedule.finish / 3600, found.schedule.cost / MICRO
    write_atomic(path, curve_png(hours, costs, chosen))


def save_gantt(path: Path, market: Market, chosen: Schedule) -> None:
    """Draw what is rented when, under the prices that were (.png).

    Raises:
        IntaglioError: the file's name ends otherwise.
    """
    if path.suffix != ".png":
        raise IntaglioError(f"--gantt must end in .png, not be {path.name!r}")
    write_atomic(path, gantt_png(market, chosen.stints))
