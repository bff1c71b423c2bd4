# SPDX-License-Identifier: Apache-2.0
"""How long does the folding search take for a network of 13 layers under three budgets?

    .venv/bin/python benchmarks/folding.py FOLDER [--devices ecp5-85f xczu7ev vu9p] [--json]

The search alone is timed against the limit; working out every fold of every node before it and
sizing the buffers of what it finds behind it are stated apart. VGG-13 with random weights, int8, on
whole devices; processor seconds, the search's the median of 5, and the peak of resident memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from networks import images, write

import intaglio as ig
from intaglio.arch.dataflow import dataflow
from intaglio.explore.buffers import settle_buffers
from intaglio.explore.folding import Search

NETWORK, ROUNDS = "vgg13", 5
DEVICES = ("ecp5-85f", "xczu7ev", "vu9p")
#: Processor seconds that the search may take for all budgets.
LIMIT = 0.1

Made = TypeVar("Made")


def main() -> int:
    """Measure, print, and return 1 where the search took longer than the limit."""
    arguments = _arguments()
    model = ig.load(write(NETWORK, arguments.folder))
    program = ig.quantize(model, images(NETWORK, 16))
    rows = [_measured(program, name) for name in arguments.devices]
    total = round(sum(row["search_s"] for row in rows), 4)
    if arguments.json:
        print(json.dumps({"network": NETWORK, "budgets": rows, "search_s": total}, indent=2))
    else:
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
        print(f"search in all {total} s, may take {LIMIT} s")
    return int(total > LIMIT)


def _measured(program: ig.Program, name: str) -> dict[str, Any]:
    """Fold a network for a device; seconds and megabytes of each part."""
    device = ig.device(name)
    options, search = _timed(lambda: Search.of(program, device))
    seconds, folding = _timed(search.best_throughput, ROUNDS)
    before = _peak()
    buffers, design = _timed(lambda: settle_buffers(dataflow(program, device, folding.folds)))
    return {
        "device": name,
        "folds": sum(len(step.options) for step in search.choices.steps),
        "interval": folding.interval,
        "reached": design.cycles.interval,
        "options_s": options,
        "search_s": seconds,
        "buffers_s": buffers,
        "search_mb": before,
        "buffers_mb": _peak(),
    }


def _timed(make: Callable[[], Made], rounds: int = 1) -> tuple[float, Made]:
    """Return the median of processor seconds, and what was made last."""
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        made = make()
        seconds.append(time.process_time() - begin)
    return round(statistics.median(seconds), 4), made


def _peak() -> float:
    """Return the most resident memory so far, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for the network's file")
    parser.add_argument("--devices", nargs="+", default=DEVICES, metavar="D", help="the budgets")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
