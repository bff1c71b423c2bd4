# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud plan JOB.toml`: the least money by a deadline, or the least time in a budget."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.cloud_market import add_market, chosen_job, chosen_market, horizon_of
from intaglio.cli.outcome import Outcome
from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.plan.job import Job, checkpoint_interval
from intaglio.plan.money import dollars, duration, micro_dollars
from intaglio.plan.optimum import Plan, plan, plan_within
from intaglio.report.cloud_plan import plan_document, plan_text, save_curve, save_gantt

HELP = "find the cheapest schedule by a deadline, or the fastest within a budget, exactly"
#: How far to look ahead where nothing is said: so many times the fastest size alone.
AHEAD = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_market(parser)
    parser.add_argument(
        "--deadline", metavar="TIME", help="from the start, e.g. 1d4h (default: the job's)"
    )
    parser.add_argument("--budget", metavar="USD", help="the least time for at most so much money")
    parser.add_argument(
        "--horizon", metavar="TIME", help="how far the curve goes (default: deadline)"
    )
    parser.add_argument(
        "--preemptions-per-hour",
        type=float,
        default=0.0,
        metavar="H",
        help="slow spot machines down by what this rate costs in the mean (default 0)",
    )
    parser.add_argument("--curve", type=Path, metavar="FILE", help="cost by deadline: .csv or .png")
    parser.add_argument("--gantt", type=Path, metavar="FILE.png", help="draw the schedule")


def run(arguments: argparse.Namespace) -> Outcome:
    """Plan, and write what was asked for."""
    job = chosen_job(arguments)
    deadline, budget = _limits(arguments, job)
    if not 0 <= arguments.preemptions_per_hour < 60:
        raise IntaglioError(
            f"--preemptions-per-hour must be from 0 to 60, not {arguments.preemptions_per_hour:g}"
        )
    default = deadline or AHEAD * job.alone(job.fastest.size)
    horizon = max(horizon_of(arguments.horizon, default, "--horizon"), deadline or 0)
    market = chosen_market(arguments, job, horizon).slowed(arguments.preemptions_per_hour)
    if budget is not None and deadline is None:
        found = plan_within(market, budget)
    else:
        found = plan(market, None if deadline is None else deadline // market.slot * market.slot)
        _affordable(found, budget)
    text, document = plan_text(found), plan_document(found)
    if arguments.preemptions_per_hour:
        every = checkpoint_interval(max(1, job.fastest.save), arguments.preemptions_per_hour)
        document["checkpoint_seconds"] = round(every)
        text += (
            f"\nwith {arguments.preemptions_per_hour:g} preemptions an hour, best saved every "
            f"{duration(every)}"
        )
    if arguments.curve is not None:
        save_curve(arguments.curve, found)
        document["curve_file"] = str(arguments.curve)
        text += f"\n{arguments.curve}"
    if arguments.gantt is not None:
        save_gantt(arguments.gantt, market, found.schedule)
        document["gantt_file"] = str(arguments.gantt)
        text += f"\n{arguments.gantt}"
    return Outcome(text, document)


def _limits(arguments: argparse.Namespace, job: Job) -> tuple[int | None, int | None]:
    """Return the deadline and the budget.

    What the arguments say goes before what the job says; a budget alone asks for the least time.
    """
    deadline, budget = job.deadline, job.budget
    if arguments.budget is not None:
        deadline, budget = None, micro_dollars(arguments.budget, "--budget")
    if arguments.deadline is not None:
        deadline = horizon_of(arguments.deadline, 0, "--deadline")
    return deadline, budget


def _affordable(found: Plan, budget: int | None) -> None:
    """Stop if the least money by the deadline is more than there is.

    Raises:
        InfeasibleError: it is.
    """
    cost = found.schedule.cost
    if budget is not None and cost > budget:
        raise InfeasibleError(
            f"the job must cost {dollars(budget)} at most, and within {duration(found.deadline)} "
            f"the least is {dollars(cost)}, {dollars(cost - budget)} more; "
            "give it more time or money"
        )
