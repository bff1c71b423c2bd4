# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud simulate JOB.toml`: what policies make of prices they do not know beforehand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from intaglio.cli.arguments import share
from intaglio.cli.cloud_market import (
    DAY,
    GENERATED_DAYS,
    add_market,
    chosen_family,
    chosen_history,
    chosen_job,
    chosen_market,
    horizon_of,
    traces,
    words,
)
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.plan.job import Job, checkpoint_interval
from intaglio.plan.policies import policies
from intaglio.plan.study import harsh, study
from intaglio.report.cloud_study import (
    save_picture,
    save_ride,
    save_runs,
    study_document,
    study_text,
)

HELP = "run policies on a price history from many starts, each beside its optimum"
#: Time over that of the fastest size alone, where neither the job nor an option gives a deadline.
SLACK = "0.16"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_market(parser)
    parser.add_argument("--deadline", metavar="TIME", help="from each start (default: the job's)")
    parser.add_argument(
        "--slack",
        metavar="S,S",
        help="deadlines as shares of time over the fastest size alone, e.g. 0.08,0.16,0.5",
    )
    parser.add_argument(
        "--policies", metavar="P,P", help=f"of {', '.join(policies())} (default all)"
    )
    parser.add_argument("--starts", type=int, default=24, metavar="N", help="how many (default 24)")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="side by side")
    parser.add_argument(
        "--preemptions-per-hour",
        type=float,
        default=0.05,
        metavar="H",
        help="what spot machines save their work for: the interval follows (default 0.05)",
    )
    parser.add_argument(
        "--reclaim",
        type=share,
        metavar="P",
        help="also take spot machines away at random, with this probability in each slot",
    )
    parser.add_argument("--runs", type=Path, metavar="FILE.csv", help="a line a start and policy")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw how policies compare")
    parser.add_argument("--gantt", type=Path, metavar="FILE.png", help="draw a policy's worst run")
    parser.add_argument("--gantt-of", default="mpc", metavar="P", help="whose (default mpc)")


def run(arguments: argparse.Namespace) -> Outcome:
    """Simulate, and write what was asked for."""
    job = chosen_job(arguments)
    if not 0 < arguments.preemptions_per_hour < 60:
        raise IntaglioError(
            f"--preemptions-per-hour must be over 0 and below 60, "
            f"not {arguments.preemptions_per_hour:g}"
        )
    if not 1 <= arguments.processes <= 256:
        raise IntaglioError(f"--processes must be from 1 to 256, not {arguments.processes}")
    slacks, deadlines = _deadlines(arguments, job)
    length = _length(arguments, job, max(deadlines))
    market = chosen_market(arguments, job, length, longest=max(deadlines))
    if arguments.reclaim is not None:
        market = harsh(market, arguments.reclaim, seed=0)
    names = words(arguments.policies) or tuple(policies())
    save_every = checkpoint_interval(max(1, job.fastest.save), arguments.preemptions_per_hour)
    found = [
        study(
            market,
            names,
            slots=deadline // market.slot,
            starts=arguments.starts,
            save_every=save_every,
            processes=arguments.processes,
        )
        for deadline in deadlines
    ]
    text = "\n\n".join(study_text(one) for one in found)
    documents = [study_document(one) for one in found]
    document: dict[str, Any] = documents[0] if len(found) == 1 else {"deadlines": documents}
    if arguments.runs is not None:
        save_runs(arguments.runs, found)
        text += f"\n{arguments.runs}"
    if arguments.plot is not None:
        save_picture(arguments.plot, found, slacks)
        text += f"\n{arguments.plot}"
    if arguments.gantt is not None:
        save_ride(arguments.gantt, found[0], arguments.gantt_of)
        text += f"\n{arguments.gantt}"
    return Outcome(text, document)


def _deadlines(arguments: argparse.Namespace, job: Job) -> tuple[list[float], list[int]]:
    """Return deadlines, as shares of time over the fastest size alone and in seconds."""
    alone = job.alone(job.fastest.size)
    given = job.deadline
    if arguments.deadline is not None:
        given = horizon_of(arguments.deadline, 0, "--deadline")
    if arguments.slack is None and given is not None:
        return [given / alone - 1], [given]
    slacks = []
    for word in words(arguments.slack or SLACK):
        try:
            slacks.append(float(word))
        except ValueError:
            slacks.append(-1.0)
        if not 0 <= slacks[-1] <= 100:
            raise IntaglioError(f"--slack must be shares of time such as 0.08,0.16, not {word!r}")
    return slacks, [int(alone * (1 + slack)) for slack in slacks]


def _length(arguments: argparse.Namespace, job: Job, deadline: int) -> int:
    """Return how much of the prices is used: from the start to the last record."""
    known = traces(arguments)
    if known:
        return max(min(trace.seconds for trace in known.values()), deadline)
    if arguments.generate is not None or arguments.spot_share is not None:
        return GENERATED_DAYS * DAY
    history = chosen_history(arguments, chosen_family(arguments, job))
    if history is None:
        return deadline
    first, last = history.only(None, [pace.size for pace in job.paces]).span
    return max(last - first, deadline)
