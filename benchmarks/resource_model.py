# SPDX-License-Identifier: Apache-2.0
"""How far are estimates of cells from what Yosys makes of single units, family by family?

    .venv/bin/python benchmarks/resource_model.py [FAMILY ...] [--append]

Prints a table of errors for every kind of cell, and the factors for plain logic that would fit
best: those in `src/intaglio/devices/families` come from here. With --append the figures are added
to `benchmarks/resource_model.csv`, a series over versions.
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

from intaglio.devices import device
from intaglio.devices.family import families, family
from intaglio.testing.resources import Measured, cases, measure
from intaglio.tools.yosys import yosys_version

#: A device for each family: which of them does not matter for what Yosys makes.
DEVICES = {
    "ecp5": "ecp5-85f",
    "gowin": "gw2a-18",
    "ice40": "ice40up5k",
    "series7": "xc7a100t",
    "ultrascale": "xczu7ev",
}
KINDS = ("lut", "ff", "dsp", "bram")
SERIES = Path(__file__).with_suffix(".csv")
COLUMNS = ("version", "yosys", "family", "case", "kind", "estimated", "found")


def main() -> int:
    """Measure, print and, if asked, append."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("families", nargs="*", default=families(), metavar="FAMILY")
    parser.add_argument("--append", action="store_true", help="add the figures to the series")
    arguments = parser.parse_args()
    for name in arguments.families:
        with tempfile.TemporaryDirectory() as folder:
            target = device(DEVICES[name])
            found = [
                measure(case, target, Path(folder) / str(number))
                for number, case in enumerate(cases())
            ]
        print(table(name, found), flush=True)
        if arguments.append:
            append(name, found)
    return 0


def table(name: str, found: Sequence[Measured]) -> str:
    """Print the errors of a family's units, and the factors that fit them best."""
    lines = [f"{name}: estimated / found", f"{'':24}" + "".join(f"{k:>16}" for k in KINDS)]
    for one in found:
        pairs = [f"{getattr(one.estimated, k)} / {getattr(one.found, k)}" for k in KINDS]
        lines.append(f"{one.case.name:24}" + "".join(f"{pair:>16}" for pair in pairs))
    for word, figure in (("median error", statistics.median), ("largest error", max)):
        sizes = [figure([abs(e[k] or 0.0) for e in (o.errors() for o in found)]) for k in KINDS]
        lines.append(f"{word:24}" + "".join(f"{size:>16.1%}" for size in sizes))
    lut, beside, ff = fitted(found)
    kind = family(name)
    lines.append(
        f"fits best: lut_factor {lut:.2f}, ff_lut {beside:.2f}, ff_factor {ff:.2f}; "
        f"now {kind.lut_factor}, {kind.ff_lut}, {kind.ff_factor}\n"
    )
    return "\n".join(lines)


def fitted(found: Sequence[Measured]) -> tuple[float, float, float]:
    """Fit the factors of plain logic to relative errors; those of parts stay as they are."""
    kind = family(found[0].device.family)
    plain = np.array([[one.parts.lut, one.parts.ff] for one in found], dtype=float)
    parts = []
    for one in found:
        cells = [(part.on(one.device), count) for part, count in one.parts.parts]
        parts.append([sum(c.lut * n for c, n in cells), sum(c.ff * n for c, n in cells)])
    real = np.array([[one.found.lut, one.found.ff] for one in found], dtype=float)
    left = real - np.array(parts, dtype=float)
    ff = _slope(plain[:, 1:], left[:, 1], real[:, 1])[0]
    columns = plain[:, :1] if not kind.ff_lut else np.stack([plain[:, 0], real[:, 1]], axis=1)
    lut = [*_slope(columns, left[:, 0], real[:, 0]), 0.0]
    return lut[0], lut[1], ff


def _slope(columns: np.ndarray, wanted: np.ndarray, real: np.ndarray) -> list[float]:
    weight = 1 / np.maximum(real, 1)
    solved = np.linalg.lstsq(columns * weight[:, None], wanted * weight, rcond=None)[0]
    return [float(v) for v in solved]


def append(name: str, found: Sequence[Measured]) -> None:
    """Add a family's figures to the series."""
    fresh = not SERIES.exists()
    with SERIES.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if fresh:
            writer.writerow(COLUMNS)
        for one in found:
            for kind in KINDS:
                figures = getattr(one.estimated, kind), getattr(one.found, kind)
                row = (version("intaglio"), yosys_version(), name, one.case.name, kind, *figures)
                writer.writerow(row)


if __name__ == "__main__":
    sys.exit(main())
