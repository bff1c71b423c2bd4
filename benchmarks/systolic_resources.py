# SPDX-License-Identifier: Apache-2.0
"""How far are estimates of cells from what Yosys makes of arrays with a systolic array?

    .venv/bin/python benchmarks/systolic_resources.py [DEVICE] [--only NAME ...] [--append]

Prints a table of errors for every kind of cell, and the constants of
`src/intaglio/arch/systolic/cost.py` that would fit best. With --append the figures are added to
`benchmarks/systolic_resources.csv`, a series over versions. All arrays take half an hour.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from intaglio.arch.systolic.cost import CONTROL, logic
from intaglio.devices import device
from intaglio.testing.systolic_resources import CASES, MeasuredEngine, measure_engine
from intaglio.tools.yosys import yosys_version

KINDS = ("lut", "ff", "dsp", "bram")
SERIES = Path(__file__).with_suffix(".csv")
COLUMNS = ("version", "yosys", "device", "case", "kind", "estimated", "found")


def main() -> int:
    """Measure, print and, if asked, append."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("device", nargs="?", default="ecp5-85f")
    parser.add_argument("--only", nargs="+", default=list(CASES), metavar="NAME")
    parser.add_argument("--append", action="store_true", help="add the figures to the series")
    arguments = parser.parse_args()
    target = device(arguments.device)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(arguments.only):
            one = measure_engine(name, target, Path(folder) / str(number))
            print(row(one), flush=True)
            found.append(one)
    print(summary(found))
    if arguments.append:
        append(target.name, found)
    return 0


def row(one: MeasuredEngine) -> str:
    """Print what was estimated and found of an array."""
    pairs = [f"{getattr(one.estimated, k)} / {getattr(one.found, k)}" for k in KINDS]
    return f"{one.name:18}" + "".join(f"{pair:>18}" for pair in pairs)


def summary(found: Sequence[MeasuredEngine]) -> str:
    """Print the errors, and the constants that would fit best."""
    lines = []
    for word, figure in (("median error", statistics.median), ("largest error", max)):
        sizes = [figure([abs(one.errors()[kind]) for one in found]) for kind in KINDS]
        lines.append(f"{word:18}" + "".join(f"{size:>18.1%}" for size in sizes))
    if len(found) > 1:
        for kind in ("lut", "ff"):
            constant, share = fitted(found, kind)
            lines.append(
                f"{kind} fits best with CONTROL {getattr(CONTROL, kind) + constant:.0f} "
                f"and LOGIC x {share:.3f}"
            )
    return "\n".join(lines)


def fitted(found: Sequence[MeasuredEngine], kind: str) -> tuple[float, float]:
    """Fit what control takes more than is said, and the share of all other plain logic."""
    plain = np.array([getattr(logic(CASES[one.name]), kind) for one in found], dtype=float)
    real = np.array([getattr(one.found, kind) for one in found], dtype=float)
    wrong = real - np.array([getattr(one.estimated, kind) for one in found], dtype=float)
    columns = np.stack([np.ones_like(plain), plain], axis=1) / real[:, None]
    constant, more = np.linalg.lstsq(columns, wrong / real, rcond=None)[0]
    return float(constant), 1 + float(more)


def append(name: str, found: Sequence[MeasuredEngine]) -> None:
    """Add the figures for a device to the series."""
    fresh = not SERIES.exists()
    with SERIES.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if fresh:
            writer.writerow(COLUMNS)
        for one in found:
            for kind in KINDS:
                figures = getattr(one.estimated, kind), getattr(one.found, kind)
                writer.writerow(
                    (version("intaglio"), yosys_version(), name, one.name, kind, *figures)
                )


if __name__ == "__main__":
    sys.exit(main())
