# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud run JOB.toml`: carry a real training through a plan, or hand the plan over."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from intaglio.cli.arguments import positive
from intaglio.cli.cloud_market import (
    add_market,
    chosen_family,
    chosen_job,
    chosen_market,
    horizon_of,
)
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.plan.elastic import Elastic
from intaglio.plan.job import Job
from intaglio.plan.ledger import PAID
from intaglio.plan.market import Market
from intaglio.plan.money import dollars, duration
from intaglio.plan.optimum import plan
from intaglio.plan.policies import chosen, policies
from intaglio.plan.policies.planned import Planned
from intaglio.plan.policies.policy import Policy
from intaglio.plan.providers.aws import Aws
from intaglio.plan.providers.local import Local
from intaglio.plan.providers.skypilot import SkyPilot
from intaglio.plan.providers.written import Form, launch, write_requests
from intaglio.plan.training import Training, read_training, weights_hash

HELP = "train on machines that come and go, as a plan or a policy says"
FORMS: dict[str, Form] = {"skypilot": SkyPilot(), "aws": Aws()}
#: Prices go on for so many times the deadline: real machines may be slower than the job says.
AFTER = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_market(parser)
    parser.add_argument("--deadline", metavar="TIME", help="from the start (default: the job's)")
    parser.add_argument(
        "--policy", default="plan", metavar="P", help=f"plan (default), {', '.join(policies())}"
    )
    parser.add_argument(
        "--provider",
        choices=("local", *FORMS),
        default="local",
        help="processes here (default), or files for SkyPilot or AWS",
    )
    parser.add_argument(
        "--launch", action="store_true", help="hand the first file over: this may cost money"
    )
    parser.add_argument("--bucket", default="my-checkpoints", help="where machines keep the work")
    parser.add_argument(
        "--moment", type=positive, default=1.0, metavar="S", help="real seconds a slot (default 1)"
    )
    parser.add_argument(
        "-o", dest="output", type=Path, default=Path("build/cloud"), metavar="FOLDER"
    )
    group = parser.add_argument_group("what is trained")
    group.add_argument(
        "--network", default="intaglio.train.zoo.lenet5:LeNet5", metavar="MODULE:CLASS"
    )
    group.add_argument("--data", default="", metavar="DIR", help="IDX files (default: digits)")
    group.add_argument("--images", type=int, default=0, metavar="N", help="only the first N")
    group.add_argument("--batch-size", type=int, default=64, metavar="N")
    group.add_argument("--learning-rate", type=positive, default=3e-3, metavar="R")
    group.add_argument("--seed", type=int, default=0, metavar="N")
    group.add_argument("--threads", type=int, default=1, metavar="N", help="the same on every size")


def run(arguments: argparse.Namespace) -> Outcome:
    """Train, or write what another program trains by."""
    job = chosen_job(arguments)
    deadline = job.deadline
    if arguments.deadline is not None:
        deadline = horizon_of(arguments.deadline, 0, "--deadline")
    if deadline is None:
        raise IntaglioError(f"{arguments.job} must have a deadline, or give --deadline")
    market = chosen_market(arguments, job, AFTER * deadline, longest=deadline)
    slots = deadline // market.slot
    training = _training(arguments, job)
    if arguments.provider != "local":
        return _handed_over(arguments, market.window(0, slots), training)
    folder: Path = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "training.json"
    if known.exists() and read_training(known) != training:
        raise IntaglioError(
            f"{known} must be of this training, not of another: name another folder"
        )
    training.save(known)
    boards = {one.name: one.boards for one in chosen_family(arguments, job).sizes}
    elastic = Elastic(
        market,
        slots,
        training,
        _policy(arguments.policy, market, slots),
        Local(known, folder / "checkpoint", boards, folder / "worker.log"),
        folder,
        arguments.moment,
    )
    elastic.run()
    return _said(elastic)


def _training(arguments: argparse.Namespace, job: Job) -> Training:
    return Training(
        arguments.network,
        job.epochs,
        arguments.data,
        arguments.images,
        arguments.batch_size,
        arguments.learning_rate,
        arguments.seed,
        arguments.threads,
    )


def _policy(name: str, market: Market, slots: int) -> Policy:
    if name == "plan":
        return Planned(plan(market.window(0, slots)).schedule.stints)
    return chosen([name])[0]


def _said(elastic: Elastic) -> Outcome:
    found, slot = elastic.outcome(), elastic.market.slot
    late = not found.done or found.slots > elastic.slots
    events = [event for event in elastic.ledger.events() if event.kind != PAID]
    lines = [str(elastic.market.job), elastic.market.origin]
    lines += [
        f"{duration(event.slot * slot):>8}  {event.kind:<8} {event.epochs:>5} epochs  {event.mode}"
        for event in events
    ]
    lines.append(
        f"{found.epochs} of {elastic.training.epochs} epochs on {found.started} machines, "
        f"{found.taken} taken away: {dollars(found.cost)} in {duration(found.slots * slot)}, "
        f"{'after' if late else 'within'} the deadline of {duration(elastic.slots * slot)}"
    )
    document = {**asdict(found), "late": late, "checkpoint": str(elastic.checkpoint)}
    if elastic.checkpoint.exists():
        document["weights_sha256"] = weights_hash(elastic.checkpoint)
        lines.append(f"{elastic.checkpoint}  weights {document['weights_sha256']}")
    return Outcome("\n".join(lines), document, int(late))


def _handed_over(arguments: argparse.Namespace, market: Market, training: Training) -> Outcome:
    form = FORMS[arguments.provider]
    found = plan(market).schedule
    files = write_requests(form, arguments.output, market, found, training, arguments.bucket)
    lines = [str(path) for path in files]
    document = {"files": lines.copy(), "cost_micro_usd": found.cost, "launched": False}
    lines.append(f"{dollars(found.cost)} if prices stay as they are taken to be")
    if arguments.launch:
        lines.append(launch(form, files[0]))
        document["launched"] = True
    else:
        lines.append(f"nothing is rented; {' '.join(form.command(files[0]))}")
    return Outcome("\n".join(lines), document)
