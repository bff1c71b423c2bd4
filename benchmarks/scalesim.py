# SPDX-License-Identifier: Apache-2.0
"""How much faster than SCALE-Sim 3.0.0 are the same numbers, and are they the same?

    .venv/bin/python benchmarks/scalesim.py FOLDER [--networks alexnet] [--dataflows os] [--traces]
    .venv/bin/python benchmarks/scalesim.py FOLDER --random 200
    .venv/bin/python benchmarks/scalesim.py FOLDER --ours

FOLDER gets the tool's environment (made once, with pinned versions) and all files. Every run is
compared: reports, and with `--traces` the traces too, must be equal byte for byte. The tool runs
once, in a process of its own; ours is the median of some runs in this process. Both read their
files and write their reports; ours is also timed without writing. Seconds are the processor's.
`--random` compares random runs of two small layers, with traces. `--ours` times what the tool takes
hours for.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from peers import Peer
from scalesim_files import DATAFLOWS, NETWORKS, Case, random_case
from serve import CLOCK, CLOCKS, seconds

import intaglio as ig
from intaglio.scalesim.compute import compute
from intaglio.scalesim.dataflow import Placement
from intaglio.scalesim.topology import Layer, read_topology

ARRAYS = {"lenet5": 8, "alexnet": 128, "resnet18": 128}
ROUNDS = 15
#: In CALC mode the tool prints these in the order of a Python set, and they are not written here.
LEFT_OUT = ("IFMAP_DRAM_TRACE.csv", "FILTER_DRAM_TRACE.csv")
#: Edges of the arrays of a sweep.
SWEEP = (8, 12, 16, 24, 32, 48, 64, 96, 128, 256)


def main() -> int:
    """Measure or compare; return 1 where anything differs."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    os.environ[CLOCK] = arguments.clock
    if arguments.random:
        return _compare_random(folder, arguments.random, arguments.first)
    if arguments.ours:
        return _time_ours(folder)
    different = 0
    for network in arguments.networks:
        for dataflow in arguments.dataflows:
            case = Case(NETWORKS[network], dataflow, (ARRAYS[network],) * 2)
            name = f"{network} {ARRAYS[network]}x{ARRAYS[network]} {dataflow}"
            different += _race(name, case, folder, arguments.traces)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest resident set of ours: {peak:.0f} MB")
    return int(different > 0)


def _race(name: str, case: Case, folder: Path, traces: bool) -> int:
    """Run a case on both; print and return whether they differ."""
    files = case.write(folder / "files")
    theirs, ours = folder / "theirs", folder / "ours"
    rounds = 3 if traces else ROUNDS
    taken = [_timed(case, files, ours, traces) for _ in range(rounds + 1)]
    ours_seconds = statistics.median(taken[1:])  # in the first one, numba compiles or loads
    unwritten = partial(ig.scalesim, files["config"], files["topology"])
    no_files = statistics.median(seconds(unwritten, 1) for _ in range(ROUNDS))
    shutil.rmtree(theirs, ignore_errors=True)
    with Peer.start("scalesim", folder) as peer:
        answer = peer.ask(task="run", **files, output=str(theirs), gemm=case.gemm, traces=traces)
    found = answer["result"]
    differences = _differences(theirs / "run", ours / "run", traces)
    print(
        f"{name}{' with traces' if traces else ''}: {found['seconds']:.1f} s, "
        f"{found['peak_mb']:.0f} MB; ours {ours_seconds * 1000:.2f} ms; "
        f"{found['seconds'] / ours_seconds:,.0f} times as fast, {no_files * 1000:.2f} ms and "
        f"{found['seconds'] / no_files:,.0f} without writing; "
        f"{', '.join(differences) or 'no byte different'}",
        flush=True,
    )
    return len(differences)


def _timed(case: Case, files: dict[str, str], output: Path, traces: bool) -> float:
    """Return the seconds of a run into a new folder."""
    shutil.rmtree(output, ignore_errors=True)
    return seconds(partial(_run_ours, case, files, output, traces), 1)


def _run_ours(case: Case, files: dict[str, str], output: Path, traces: bool) -> None:
    kind = "gemm" if case.gemm else "conv"
    ig.scalesim(
        files["config"],
        files["topology"],
        kind=kind,
        layout=files["layout"],
        output=output,
        traces=traces,
    )


def _differences(theirs: Path, ours: Path, traces: bool) -> list[str]:
    """Return the files of a run that are not the same."""
    names = [
        path.relative_to(theirs)
        for path in sorted(theirs.rglob("*.csv"))
        if path.name not in LEFT_OUT and (traces or path.parent == theirs)
    ]
    return [
        f"{name} differs"
        for name in names
        if not (ours / name).is_file() or (ours / name).read_bytes() != (theirs / name).read_bytes()
    ] or ([] if names else ["no file to compare"])


def _compare_random(folder: Path, count: int, first: int) -> int:
    """Compare random runs; print what was found."""
    same, crashes, different, stalls = 0, 0, 0, 0
    with Peer.start("scalesim", folder) as peer:
        for seed in range(first, first + count):
            case = random_case(seed)
            at = folder / "random" / str(seed)
            files = case.write(at)
            answer = peer.ask(
                task="run", **files, output=str(at / "theirs"), gemm=case.gemm, traces=True
            )["result"]
            try:
                _run_ours(case, files, at / "ours", True)
                said = ""
            except ig.ModelError as error:
                said = str(error)
            if "error" in answer or said:
                agree = "ZeroDivisionError" in answer.get("error", "") and bool(said)
                problems = [] if agree else [answer.get("error", ""), said]
                crashes += agree
            else:
                problems = _differences(at / "theirs" / "run", at / "ours" / "run", True)
                same += not problems
                stalls += case.bandwidths is not None
            different += bool(problems)
            if problems:
                print(f"{at}: {problems}", flush=True)
    print(
        f"{count} random runs of two layers: {same} the same in every byte ({stalls} with given "
        f"bandwidths), {crashes} where the tool divides by zero and ours says so, "
        f"{different} different"
    )
    return int(different > 0)


def _time_ours(folder: Path) -> int:
    """Time what is too long for the tool."""
    for network in ("alexnet", "resnet18", "flownets"):
        for dataflow in DATAFLOWS:
            case = Case(NETWORKS[network], dataflow, (8, 8))
            files = case.write(folder / "files")
            taken = [_timed(case, files, folder / "ours", False) for _ in range(4)]
            median = statistics.median(taken[1:])
            print(f"{network} 8x8 {dataflow}: {median * 1000:.0f} ms", flush=True)
    files = Case(NETWORKS["resnet18"], "os", (8, 8)).write(folder / "files")
    swept = seconds(partial(_sweep, read_topology(files["topology"])), 1)
    print(f"resnet18, 3 dataflows, 100 arrays, without memories: {swept:.2f} s")
    return 0


def _sweep(layers: Sequence[Layer]) -> None:
    """Compute cycles, use and SRAM accesses of all layers on many arrays."""
    for rows in SWEEP:
        for columns in SWEEP:
            for dataflow in DATAFLOWS:
                for layer in layers:
                    placement = Placement.of(layer, dataflow, rows, columns, sparse=False)
                    compute(layer, placement, sparse=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for the tool's environment and all files")
    parser.add_argument("--networks", nargs="+", choices=sorted(ARRAYS), default=list(ARRAYS))
    parser.add_argument("--dataflows", nargs="+", choices=DATAFLOWS, default=list(DATAFLOWS))
    parser.add_argument("--traces", action="store_true", help="write and compare traces too")
    parser.add_argument("--random", type=int, metavar="N", help="compare N random runs instead")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the random runs")
    parser.add_argument("--ours", action="store_true", help="time large runs of ours alone")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="process")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
