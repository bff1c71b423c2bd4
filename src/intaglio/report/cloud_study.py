# SPDX-License-Identifier: Apache-2.0
"""How policies did from many starts, as a table, as JSON, as CSV and as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.artifact import write_atomic
from intaglio.errors import IntaglioError
from intaglio.plan.money import MICRO, clock, dollars, duration
from intaglio.plan.study import Study
from intaglio.report.cloud_plots import gantt_png, ratios_png, slack_png
from intaglio.report.summary import aligned

_CSV = "start,deadline_seconds,policy,cost_usd,optimum_usd,ratio,finish_seconds,preemptions,rescued"


def study_text(found: Study) -> str:
    """Return a line a policy: cost over the optimum, median to worst, and what went on."""
    rows: list[tuple[str, ...]] = [
        ("policy", "median", "90 %", "worst", "cost", "late", "taken away", "restarts", "overruled")
    ]
    for name in found.names:
        ratios, rides = found.ratios(name), found.rides(name)
        rows.append(
            (
                name,
                *(f"{_percentile(ratios, share):.3f}" for share in (50, 90, 100)),
                dollars(float(np.median([ride.cost for ride in rides]))),
                str(sum(ride.finish is None for ride in rides)),
                f"{np.mean([ride.preemptions for ride in rides]):.1f}",
                f"{np.mean([len(ride.stints) - 1 for ride in rides]):.1f}",
                f"{sum(ride.rescued > 0 for ride in rides)} of {len(rides)}",
            )
        )
    job = found.market.job
    return "\n".join(
        (
            str(job),
            found.market.origin,
            f"{len(found.samples)} starts from {clock(_moment(found, 0))} to "
            f"{clock(_moment(found, -1))}, done within {duration(found.slots * found.market.slot)}",
            _optimum_line(found),
            "",
            *aligned(rows),
            "",
            "cost over the optimum of the same start; the optimum knows all prices beforehand",
            safety_line(found),
        )
    )


def _percentile(ratios: np.ndarray, share: float) -> float:
    """Return a percentile, one that occurs: infinite ones stay so."""
    return float(np.percentile(ratios, share, method="higher"))


def _moment(found: Study, index: int) -> int:
    return found.market.start + found.samples[index].first * found.market.slot


def _optimum_line(found: Study) -> str:
    costs = [sample.optimum.cost for sample in found.samples]
    gap = max(s.optimum.cost / s.floor - 1 if s.floor else 0.0 for s in found.samples)
    text = (
        f"optimum {dollars(float(np.median(costs)))} in the median, {dollars(min(costs))} to "
        f"{dollars(max(costs))}, proven within {gap:.3%}"
    )
    if found.yardstick is None:
        return text
    return f"{text}; the largest size at list price throughout costs {dollars(found.yardstick)}"


def safety_line(found: Study) -> str:
    """Say what keeps the deadline, and where that was needed."""
    market = found.market
    if market.safe is None:
        return "nothing is rented at list price, so no deadline is sure: all are a best effort"
    mode = market.modes[market.safe]
    runs = [ride for sample in found.samples for ride in sample.rides]
    overruled = sum(ride.rescued > 0 for ride in runs)
    text = f"no deadline can be missed while {mode} can be had"
    if not overruled:
        return f"{text}; the rule that sees to it overruled no policy"
    return (
        f"{text}: the rule that sees to it overruled {overruled} of {len(runs)} runs, which need it"
    )


def study_document(found: Study) -> dict[str, Any]:
    """Return the same as JSON types, with every start."""
    return {
        "job": found.market.job.name,
        "prices": found.market.origin,
        "deadline_seconds": found.slots * found.market.slot,
        "yardstick_micro_usd": found.yardstick,
        "safe": None if found.market.safe is None else str(found.market.modes[found.market.safe]),
        "policies": {
            name: {
                "median": _finite(_percentile(found.ratios(name), 50)),
                "worst": _finite(_percentile(found.ratios(name), 100)),
                "late": sum(ride.finish is None for ride in found.rides(name)),
                "overruled": sum(ride.rescued > 0 for ride in found.rides(name)),
            }
            for name in found.names
        },
        "starts": [
            {
                "start": clock(found.market.start + sample.first * found.market.slot),
                "optimum_micro_usd": sample.optimum.cost,
                "floor_micro_usd": sample.floor,
                "cost_micro_usd": {ride.policy: ride.cost for ride in sample.rides},
            }
            for sample in found.samples
        ],
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def save_runs(path: Path, studies: Sequence[Study]) -> None:
    """Write a line for each start and policy (.csv).

    Raises:
        IntaglioError: the file's name ends otherwise.
    """
    if path.suffix != ".csv":
        raise IntaglioError(f"--runs must end in .csv, not be {path.name!r}")
    lines = [_CSV]
    for found in studies:
        for sample in found.samples:
            start = clock(found.market.start + sample.first * found.market.slot)
            best = sample.optimum.cost
            for ride in sample.rides:
                numbers = f"{ride.cost / MICRO:.6f},{best / MICRO:.6f},{ride.cost / best:.6f}"
                finish = "" if ride.finish is None else ride.finish
                lines.append(
                    f"{start},{found.slots * found.market.slot},{ride.policy},{numbers},{finish},"
                    f"{ride.preemptions},{ride.rescued}"
                )
    write_atomic(path, ("\n".join(lines) + "\n").encode())


def save_picture(path: Path, studies: Sequence[Study], slacks: Sequence[float]) -> None:
    """Draw every start of one study, or cost against time of several (.png).

    Raises:
        IntaglioError: the file's name ends otherwise, or several studies have no list price.
    """
    if path.suffix != ".png":
        raise IntaglioError(f"--plot must end in .png, not be {path.name!r}")
    first = studies[0]
    if len(studies) == 1:
        write_atomic(path, ratios_png(first.names, [first.ratios(name) for name in first.names]))
        return
    if first.yardstick is None:
        raise IntaglioError("--plot of several deadlines must have machines at list price")
    names = ("optimum", *first.names)
    costs = [[_costs(found, name) / first.yardstick for found in studies] for name in names]
    medians = np.array([[np.median(each) for each in row] for row in costs])
    worst = np.array([[each.max() for each in row] for row in costs])
    write_atomic(path, slack_png(slacks, names, medians, worst))


def _costs(found: Study, name: str) -> np.ndarray:
    if name == "optimum":
        return np.array([sample.optimum.cost for sample in found.samples], dtype=np.float64)
    return np.array([ride.cost for ride in found.rides(name)], dtype=np.float64)


def save_ride(path: Path, found: Study, name: str) -> None:
    """Draw a policy's ride that cost most over the optimum, under the prices of that time (.png).

    Raises:
        IntaglioError: the file's name ends otherwise, or the policy was not run.
    """
    if path.suffix != ".png":
        raise IntaglioError(f"--gantt must end in .png, not be {path.name!r}")
    if name not in found.names:
        raise IntaglioError(f"--gantt-of must be one of {', '.join(found.names)}, not {name!r}")
    at = int(found.ratios(name).argmax())
    sample, ride = found.samples[at], found.rides(name)[at]
    part = found.market.window(sample.first, found.slots)
    write_atomic(path, gantt_png(part, ride.stints, since=sample.first * part.slot))
