# SPDX-License-Identifier: Apache-2.0
"""How many cycles and images a second does Verilator simulate, for a large and a small LeNet-5?

    .venv/bin/python benchmarks/simulation.py FOLDER [--optimize=-O1] [--threads 1] [--json]

Random weights and images; every bit and every cycle is compared as always, outside these figures.
Rates are given by the processor time of the bench, which other work on the machine disturbs little,
and by the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from networks import images, write

import intaglio as ig
from intaglio.tools.simulation import Run, simulate
from intaglio.tools.verilator import OPTIMIZE, THREADS

NETWORK, ROUNDS = "lenet5", 5
#: The device that each design fills, and images that take about half a second.
DESIGNS: Mapping[str, int] = {"ecp5-85f": 100, "ecp5-25f": 20}


@dataclass(frozen=True)
class Speed:
    """What a design's simulation takes; the best of some rounds."""

    interval: int
    build_cpu_seconds: float
    cycles_per_cpu_second: float
    images_per_cpu_second: float
    cycles_per_second: float


def main() -> int:
    """Measure and print."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    data = images(NETWORK, max(DESIGNS.values()))
    program = ig.quantize(ig.load(write(NETWORK, folder)), data)
    found = {}
    for device, count in DESIGNS.items():
        design = ig.explore(program, ig.device(device)).best
        bundle = ig.emit(design, folder / device)
        run = partial(simulate, optimize=arguments.optimize, threads=arguments.threads)
        found[device] = _measure(bundle, data[:count], folder / f"{device}.sim", run)
    if arguments.json:
        print(json.dumps({name: vars(speed) for name, speed in found.items()}, indent=2))
    else:
        for name, speed in found.items():
            for figure, value in vars(speed).items():
                print(f"{name:<10} {figure:<22} {value:>12,.1f}")
    return 0


def _measure(
    bundle: ig.Bundle, data: np.ndarray, work: Path, simulated: Callable[..., Run]
) -> Speed:
    frames = bundle.design().program.quantize_input(data)

    def run() -> tuple[float, Run]:
        before = _cpu()
        done = simulated(bundle, frames, work=work, progress=False)
        return _cpu() - before, done

    first, _ = run()
    rounds = [run() for _ in range(ROUNDS)]
    cpu, best = min(seconds for seconds, _ in rounds), rounds[0][1]
    wall = min(done.run_seconds for _, done in rounds)
    rate = best.cycles / cpu
    return Speed(
        interval=best.interval_simulated,
        build_cpu_seconds=round(max(0.0, first - cpu), 1),
        cycles_per_cpu_second=round(rate),
        images_per_cpu_second=round(rate / best.interval_simulated, 1),
        cycles_per_second=round(best.cycles / wall),
    )


def _cpu() -> float:
    """Processor seconds of all programs run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for bundles and compiled benches")
    parser.add_argument("--optimize", default=OPTIMIZE, help="the C++ compiler's option")
    parser.add_argument("--threads", type=int, default=THREADS, help="that work on a cycle")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
