# SPDX-License-Identifier: Apache-2.0
"""How fast plans are found, how near policies come to the optimum, and that none is ever late.

    python benchmarks/cloud.py [--data DIR] [--starts N] [--jobs N] [--processes N]

DIR holds price histories of p2, p3 and g2 machines, as `aws ec2 describe-spot-price-history` prints
them, and availability traces of the SkyPilot project; without it only made-up prices are used.
Work per second of the sizes is illustrative: 10, 64
and 110 for 1, 8 and 16 K80, 10, 35 and 60 for 1, 4 and 8 V100.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from intaglio.plan.availability import read_availability
from intaglio.plan.catalog import family
from intaglio.plan.generator import Shape, assumed, generate
from intaglio.plan.history_files import read_history
from intaglio.plan.job import Job, job
from intaglio.plan.market import SPOT, Market, market
from intaglio.plan.money import HOUR
from intaglio.plan.optimum import plan
from intaglio.plan.policies import policies
from intaglio.plan.prices import PriceHistory
from intaglio.plan.simulate import simulate
from intaglio.plan.study import harsh, study

START = 1_767_225_600
WORK = {
    "aws-p2": {"p2.xlarge": 10, "p2.8xlarge": 64, "p2.16xlarge": 110},
    "aws-p3": {"p3.2xlarge": 10, "p3.8xlarge": 35, "p3.16xlarge": 60},
    "aws-g2": {"g2.2xlarge": 10},
}
SLACKS = (0.16, 0.5)


def a_job(name: str, hours: int) -> Job:
    """Return a job that takes so many hours on the largest size."""
    work = WORK[name]
    seconds = {size: f"{HOUR * max(work.values()) / each:.3f}" for size, each in work.items()}
    times = {"checkpoint": 30, "boot": 480, "restore": 120}
    return job(name, hours, seconds, **times, source="illustrative speeds")


def made_up(name: str, zones: int, days: int, shape: Shape | None = None) -> PriceHistory:
    """Return generated prices of a family in zones of one region."""
    listed = {one.name: one.list_price("us-east-1") for one in family(name).sizes}
    names = [f"us-east-1{chr(97 + k)}" for k in range(zones)]
    return generate(listed, names, start=START, seconds=days * 24 * HOUR, seed=1, shape=shape)


def speed() -> None:
    """Print how long plans take, the best of three runs."""
    print("| job | slots | modes | seconds | apart at most |\n|---|---|---|---|---|")
    for hours, zones, slots, slot in ((20, 1, 144, 600), (600, 7, 4320, 600), (600, 7, 1440, 1800)):
        where = market(
            a_job("aws-p2", hours),
            family("aws-p2"),
            slots=slots,
            slot=slot,
            history=made_up("aws-p2", zones, 40),
            start=START,
            kinds=(SPOT,),
        )
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            found = plan(where)
            times.append(time.perf_counter() - begin)
        days = f"{slots * slot / 86_400:g} days"
        print(
            f"| {days} of {slot // 60} min | {slots:,} | {len(where.modes)} | {min(times):.3f} | "
            f"{found.gap:.3%} |"
        )


def real(data: Path, starts: int, processes: int) -> None:
    """Print cost over the optimum for every zone with all sizes."""
    history = read_history(*sorted(data.glob("aws-*.csv")))
    print(f"\n{history}\n")
    print("| zone | slack | " + " | ".join(policies()) + " | late |")
    print("|---|---|" + "---|" * (len(policies()) + 1))
    for name, work in WORK.items():
        for zone in history.zones:
            series = [history.series.get((zone, size)) for size in work]
            if all(one is not None and len(one.times) > 1 for one in series):
                for slack in SLACKS:
                    one_zone(history, name, zone, slack, starts, processes)


def one_zone(
    history: PriceHistory, name: str, zone: str, slack: float, starts: int, processes: int
) -> None:
    """Print one line: median and worst of each policy."""
    part = history.only([zone], WORK[name])
    first, last = part.span
    some_job = a_job(name, 24)
    slots = (last - first) // 600
    where = market(some_job, family(name), slots=slots, slot=600, history=part, start=first)
    cells = _compared(where, slack, starts, processes)
    print(f"| {name[4:]} {zone} | {slack:.0%} | {cells}", flush=True)


def traces(data: Path, starts: int) -> None:
    """Print cost over the optimum for traces of when one V100 could be had, spot at 0.3 of list."""
    sizes = family("aws-p3")
    one = sizes.sizes[0]
    some_job = job(
        "one size", 48, {one.name: HOUR}, checkpoint=30, boot=480, restore=120, source="-"
    )
    print("\n| trace | slack | " + " | ".join(policies()) + " | late |")
    print("|---|---|" + "---|" * (len(policies()) + 1))
    for path in sorted(data.glob("availability-traces/availability/1-node/*/*_v100_1.json")):
        known = read_availability(path)
        where = market(
            some_job,
            sizes,
            slots=known.seconds // 600,
            slot=600,
            history=assumed(
                {one.name: one.list_price("us-east-1")}, ["us-east-1a"], 0.3, start=START
            ),
            start=START,
            availability={one.name: known},
        )
        name = f"{path.parent.name} {path.stem}"
        for slack in (0.1, *SLACKS[1:]):
            print(f"| {name} | {slack:.0%} | {_compared(where, slack, starts, 1)}", flush=True)


def _compared(where: Market, slack: float, starts: int, processes: int) -> str:
    """Return the cells of a line: median and worst of each policy, and how many were late."""
    some_job = where.job
    found = study(
        where,
        tuple(policies()),
        slots=int(some_job.alone(some_job.fastest.size) * (1 + slack)) // 600,
        starts=starts,
        save_every=2000,
        processes=processes,
        progress=False,
    )
    cells = [f"{np.median(r):.3f} {r.max():.2f}" for r in map(found.ratios, found.names)]
    late = sum(ride.finish is None for sample in found.samples for ride in sample.rides)
    return f"{' | '.join(cells)} | {late} |"


def harshest(jobs: int) -> None:
    """Simulate jobs whose spot machines are taken away at every slot, and count what is late."""
    shape = Shape(volatility=0.3, step_hours=1, spikes_a_day=1)
    where = _three_hours(made_up("aws-p3", 2, 60, shape))
    hard = harsh(where, 1.0, seed=0)
    names, late, rescued = list(policies()), 0, 0
    random = np.random.default_rng(0)
    for number in range(jobs):
        slots = int(random.integers(22, 45))
        ride = simulate(
            hard,
            policies()[names[number % len(names)]],
            first=int(random.integers(0, hard.slots - slots)),
            slots=slots,
            save_every=float(random.integers(60, 10_000)),
        )
        late += ride.finish is None
        rescued += ride.rescued > 0
    print(f"\n{jobs:,} jobs, preempted at every slot: {late} late, {rescued:,} needed the rule")


def _three_hours(history: PriceHistory) -> Market:
    first, last = history.span
    slots = (last - first) // 600
    some_job = a_job("aws-p3", 3)
    return market(some_job, family("aws-p3"), slots=slots, slot=600, history=history, start=first)


def main() -> None:
    """Measure what there is data for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--starts", type=int, default=24)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    speed()
    if arguments.data is not None:
        real(arguments.data, arguments.starts, arguments.processes)
        traces(arguments.data, arguments.starts)
    harshest(arguments.jobs)


if __name__ == "__main__":
    main()
