# SPDX-License-Identifier: Apache-2.0
"""Five families of networks, each at 8, 4 and 2 bits: is the RTL equal to the integers?

    .venv/bin/python benchmarks/prove_networks.py DIR [--networks ...] [--bits 8 4 2] [--device ...]

Each network of `train/zoo` for images of 32 x 32, with weights from a seed, is quantized on smooth
random images, mapped to the smallest of the devices on which the smallest design of the wanted
interval is found, and simulated with Verilator on further images. Every output bit and every
frame's cycles have to be those foretold. A row is written as soon as it is known, and read back
the next time; every row is made in a process of its own. Seconds are those a processor worked, of
all processes that a step starts.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import intaglio as ig
from intaglio.arch.design import Design
from intaglio.artifact import write_atomic
from intaglio.devices import device, devices
from intaglio.errors import InfeasibleError, IntaglioError
from intaglio.ir.execute import run_program
from intaglio.ir.graph import Program
from intaglio.tools.verilator import build

#: Where each network is, under `intaglio.train.zoo`.
NETWORKS = {
    "resnet8": "ResNet8",
    "mobilenet": "MobileNet",
    "unet": "UNet",
    "cnv": "Cnv",
    "nin": "Nin",
}
#: From the smallest up.
DEVICES = ("ecp5-25f", "ecp5-45f", "ecp5-85f", "xc7z020", "xczu7ev", "vu9p")
BITS = (8, 4, 2)
IMAGES, CALIBRATION = 16, 64
#: Multipliers that would be busy in every cycle at the wanted interval. With so many a design is
#: compiled and simulated in minutes, however large the network.
MULTIPLIERS = 96
#: Any clock will do to ask for an interval by.
CLOCK_MHZ = 100.0
MEBIBYTE = 1 << 20

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What one row is made of."""

    network: str
    bits: int
    devices: tuple[str, ...]
    images: int
    multipliers: int
    seed: int


def main() -> int:
    """Make the rows that are missing, print all, and return 1 where one could not be proven."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    rows = []
    _print(COLUMNS.values())
    for network in arguments.networks:
        for bits in arguments.bits:
            case = Case(
                network,
                bits,
                tuple(arguments.device or DEVICES),
                arguments.images,
                arguments.multipliers,
                arguments.seed,
            )
            rows.append(_row(case, folder))
            _print(_cells(rows[-1]))
            _write_table(rows, folder)
    return int(any("error" in row for row in rows))


def _row(case: Case, folder: Path) -> Row:
    """Return a row that was written before, or make it in a process of its own."""
    file = folder / f"{case.network}-{case.bits}.json"
    asked = json.loads(json.dumps(asdict(case)))
    if file.is_file():
        row: Row = json.loads(file.read_text())
        if row["case"] == asked and "error" not in row:
            return row
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        row = {"case": asked, **process.submit(prove, case, folder).result()}
    write_atomic(file, (json.dumps(row, indent=2) + "\n").encode())
    return row


def prove(case: Case, folder: Path) -> Row:
    """Return what is known of a network's design; an error is a line of the row, too."""
    row: Row = {"network": case.network, "bits": case.bits}
    try:
        for part in _steps(case, folder):
            row |= part
            _progress(case, part)
    except IntaglioError as error:
        row["error"] = f"{type(error).__name__}: {error}"
        _progress(case, {"error": row["error"]})
    return row


def _steps(case: Case, folder: Path) -> Iterator[Row]:
    """Do one step after the other, and give what each found out."""
    seconds: dict[str, float] = {}
    data = images(case.images + CALIBRATION, case.seed)
    with _clock(seconds, "quantize_seconds"):
        scheme = ig.Scheme(weights=f"s{case.bits}n", activations=f"u{case.bits}")
        program = ig.quantize(read(case.network, case.seed), data[case.images :], scheme)
    macs = sum(program.graph.macs(node) for node in program.graph.nodes)
    results = run_program(program, data[: case.images])
    yield {
        **seconds,
        "macs": macs,
        "weights": _weights(program),
        "different_results": len(np.unique(results.reshape(len(results), -1), axis=0)),
    }
    with _clock(seconds, "explore_seconds"):
        design = smallest(program, case.devices, math.ceil(macs / case.multipliers))
    yield {
        "explore_seconds": seconds["explore_seconds"],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // MEBIBYTE,
        "device": design.device.name,
        "multipliers": design.multipliers,
        **{kind: getattr(design.resources, kind) for kind in ("lut", "ff", "dsp", "bram")},
    }
    bundle = ig.emit(design, folder / "bundles" / f"{case.network}-{case.bits}")
    work = bundle.folder.with_name(bundle.folder.name + ".sim")
    with _clock(seconds, "build_seconds"):
        build(bundle, work)
    yield {"build_seconds": seconds["build_seconds"]}
    with _clock(seconds, "simulate_seconds", resource.RUSAGE_CHILDREN):
        run = ig.simulate(bundle, data[: case.images], work=work, progress=False)
    figures = run.to_json()
    for name in ("images", "bit_mismatches", "cycle_mismatches", "cycles"):
        figures |= {name: figures[name]}
    figures["build_seconds"] = seconds["build_seconds"]
    figures["simulate_seconds"] = seconds["simulate_seconds"]
    yield figures


def _weights(program: Program) -> int:
    """Count the weights of all layers, biases left out."""
    constants = program.graph.constants.items()
    return sum(constant.data.size for name, constant in constants if name.endswith(".weight"))


def read(network: str, seed: int) -> ig.Graph:
    """Return a network of the zoo, with weights from a seed."""
    import torch

    made = getattr(import_module(f"intaglio.train.zoo.{network}"), NETWORKS[network])(seed=seed)
    return ig.load(made, example=torch.zeros(2, 3, 32, 32))


def smallest(program: Program, names: Sequence[str], interval: int) -> Design:
    """Return the smallest design of an interval, on the first of the devices that holds one.

    Raises:
        InfeasibleError: none does.
    """
    fps = CLOCK_MHZ * 1e6 / interval
    for name in names[:-1]:
        try:
            return ig.explore(program, device(name), target_fps=fps, clock_mhz=CLOCK_MHZ).best
        except InfeasibleError:
            continue
    return ig.explore(program, device(names[-1]), target_fps=fps, clock_mhz=CLOCK_MHZ).best


def images(count: int, seed: int) -> np.ndarray:
    """Return smooth random images: float32 in [0, 1], [N, 3, 32, 32], corners each of a color."""
    random = np.random.default_rng(seed)
    corners = random.random((count, 3, 5, 5), dtype=np.float32)
    places = np.linspace(0, 4, 32, dtype=np.float32)
    near = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(5, dtype=np.float32)))
    return np.einsum("ri,ncij,sj->ncrs", near, corners, near).astype(np.float32)


@contextmanager
def _clock(seconds: dict[str, float], step: str, of: int = resource.RUSAGE_SELF) -> Iterator[None]:
    """Note the seconds that processors worked: of the programs started alone, or of all."""
    started = _worked(of)
    yield
    seconds[step] = round(_worked(of) - started, 1)


def _worked(of: int) -> float:
    both = {of, resource.RUSAGE_CHILDREN}
    usages = [resource.getrusage(who) for who in both]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


#: What the columns of a table hold, and their heads.
COLUMNS = {
    "network": "network",
    "bits": "bits",
    "macs": "MACs",
    "weights": "weights",
    "device": "device",
    "multipliers": "multipliers",
    "interval_predicted": "interval predicted",
    "interval_simulated": "interval simulated",
    "latency_simulated": "latency",
    "images": "images",
    "bit_mismatches": "bits different",
    "cycle_mismatches": "cycles different",
    "explore_seconds": "explore s",
    "build_seconds": "build s",
    "simulate_seconds": "simulate s",
    "cycles_per_second": "cycles/s",
}


def _cells(row: Mapping[str, Any]) -> list[str]:
    """Return a row's cells as text; those after an error are empty, but for its text."""
    found = dict(row)
    if "cycles" in row:
        found["cycles_per_second"] = round(row["cycles"] / max(row["simulate_seconds"], 0.1))
    cells = [found.get(name, "") for name in COLUMNS]
    texts = [f"{cell:,}" if isinstance(cell, int | float) else cell for cell in cells]
    return [*texts[:-1], row["error"]] if "error" in row else texts


def _print(cells: Iterable[str]) -> None:
    print("  ".join(f"{cell:>11}" for cell in cells), flush=True)


def _progress(case: Case, part: Mapping[str, Any]) -> None:
    found = ", ".join(f"{name} {value}" for name, value in part.items())
    print(f"{case.network} at {case.bits} bits: {found}", file=sys.stderr, flush=True)


def _write_table(rows: Sequence[Row], folder: Path) -> None:
    """Write all rows so far as Markdown and as CSV."""
    table = [list(COLUMNS.values()), ["---"] * len(COLUMNS), *map(_cells, rows)]
    lines = ("| " + " | ".join(cells) + " |\n" for cells in table)
    write_atomic(folder / "table.md", "".join(lines).encode())
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, "error"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(folder / "table.csv", text.getvalue().encode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for rows, tables, bundles and what is compiled")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--bits", nargs="+", type=int, choices=range(2, 9), default=BITS)
    parser.add_argument("--device", nargs="+", help="the smallest first", choices=devices())
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--multipliers", type=int, default=MULTIPLIERS)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
