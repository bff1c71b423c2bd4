# SPDX-License-Identifier: Apache-2.0
"""How fast are exact integers? Programs on our engine against peers, in turns, on one thread.

    .venv/bin/python benchmarks/inference.py FOLDER [--peers onnxruntime qonnx hls4ml] [--json]

FOLDER gets the peers' environments (made once, with pinned versions), their models and logs.
Peers: the int8 model that ONNX Runtime's own static quantization makes of the same float model;
QONNX's executor; hls4ml's C++ emulation. Every figure is the median over rounds in which all take
their turn; a ratio is the median of the rounds' ratios. With `--clock process` processor time is
measured, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from networks import NETWORKS, images, write
from peers import Peer, PeerError
from serve import CLOCK, CLOCKS, seconds

import intaglio as ig
from intaglio.ir.execute import run_program

BATCHES = (1, 256)
ROUNDS = 9
#: A turn runs for about this long, and at least once.
TURN_SECONDS = 0.05
CALIBRATION = 64
PEERS = ("hls4ml", "onnxruntime", "qonnx")
#: Peers that are made for one network, or too slow for the others.
ONLY_LENET5 = ("qonnx", "hls4ml")
OURS = "intaglio"

#: Runs a batch so many times and returns the seconds of one.
Runner = Callable[[int, int], float]


def main() -> int:
    """Measure, print, and return 1 where ONNX Runtime's int8 was faster."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    os.environ[CLOCK] = arguments.clock
    results: dict[str, Any] = {}
    for network in arguments.networks:
        with ExitStack() as stack:
            runners, facts = _runners(network, folder, arguments.peers, stack)
            batches = {str(b): _compare(runners, b, arguments.rounds) for b in BATCHES}
            results[network] = {"facts": facts, "batches": batches}
        if not arguments.json:
            _print(network, results[network])
    if arguments.json:
        print(json.dumps(results, indent=2))
    rows = [row for result in results.values() for row in result["batches"].values()]
    return int(min(row["ratios"].get("onnxruntime", 1.0) for row in rows) < 1.0)


def _runners(
    network: str, folder: Path, peers: Sequence[str], stack: ExitStack
) -> tuple[dict[str, Runner], dict[str, Any]]:
    """Start everyone; a peer that cannot be had is left out, and the reason is among the facts."""
    work = folder / network
    model, data = write(network, work), images(network, max(BATCHES))
    np.save(work / "images.npy", data)
    program = ig.quantize(ig.load(model), data[:CALIBRATION])
    engine = ig.engine(program)
    if engine.reason or not np.array_equal(engine.run(data[:8]), run_program(program, data[:8])):
        raise SystemExit(f"{network} must run on the kernels: {engine.reason or 'it differs'}")

    def ours(batch: int, times: int) -> float:
        return seconds(lambda: engine.run(data[:batch]), times)

    runners: dict[str, Runner] = {OURS: ours}
    facts: dict[str, Any] = {}
    given = {
        "onnxruntime": (model, work / "images.npy", work),
        "qonnx": (model, work / "images.npy"),
        "hls4ml": (work / "images.npy", work / "hls4ml"),
    }
    for name in peers:
        if name in ONLY_LENET5 and network != "lenet5":
            continue
        try:
            peer = stack.enter_context(Peer.start(name, folder, *given[name]))
        except PeerError as error:
            facts[name] = str(error)
            continue
        facts[name] = dict(peer.facts)
        runners[name] = _asks(peer)
    return runners, facts


def _asks(peer: Peer) -> Runner:
    return lambda batch, times: float(peer.ask(task="run", batch=batch, times=times)["result"])


def _compare(runners: Mapping[str, Runner], batch: int, rounds: int) -> dict[str, Any]:
    """Time everyone in turns; microseconds an image, and how many times as long as ours."""
    times = {}
    for name, run in runners.items():
        run(batch, 1)
        times[name] = max(1, round(TURN_SECONDS / run(batch, 1)))
    found: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, run in runners.items():
            found[name].append(run(batch, times[name]) / batch * 1e6)
    ratios = {
        name: statistics.median(t / o for t, o in zip(found[name], found[OURS], strict=True))
        for name in runners
        if name != OURS
    }
    medians = {name: round(statistics.median(values), 2) for name, values in found.items()}
    return {"us_per_image": medians, "ratios": {n: round(r, 2) for n, r in ratios.items()}}


def _print(network: str, result: Mapping[str, Any]) -> None:
    print(network)
    for name, facts in result["facts"].items():
        print(f"  {name}: {facts}")
    for batch, row in result["batches"].items():
        for name, value in row["us_per_image"].items():
            ratio = row["ratios"].get(name, 1.0)
            print(f"  batch {batch:>3}  {name:<12} {value:>12,.1f} us/image  {ratio:>9,.2f} x ours")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for the peers' environments and models")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--networks", nargs="+", choices=sorted(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
