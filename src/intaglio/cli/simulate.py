# SPDX-License-Identifier: Apache-2.0
"""`intaglio simulate BUNDLE --data DATA`: the RTL against the program, bit by bit."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.arguments import add_data
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.flow import Bundle, Stalls, simulate
from intaglio.flow.samples import read_samples

HELP = "prove a bundle in Verilator: every output bit, every frame's latency and interval"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="what emit wrote")
    add_data(parser)
    parser.add_argument(
        "--stalls",
        type=float,
        default=0.0,
        metavar="P",
        help="chance 0..0.9 that a cycle offers no input or takes no output; then bits only",
    )
    parser.add_argument(
        "--gate-level",
        action="store_true",
        help="run the netlist that Yosys makes (ECP5, GW2A, iCE40); some times slower",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the stalls")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="default: BUNDLE.sim")


def run(arguments: argparse.Namespace) -> Outcome:
    """Simulate; any difference is an error with status 1."""
    if not 0 <= arguments.stalls <= 0.9:
        raise IntaglioError(f"--stalls must be 0..0.9, not {arguments.stalls}")
    bundle = Bundle.load(arguments.bundle)
    samples = read_samples(arguments.data).first(arguments.count)
    stalls = Stalls(arguments.stalls, arguments.stalls, arguments.seed)
    found = simulate(
        bundle,
        samples.images,
        stalls=stalls,
        gate_level=arguments.gate_level,
        work=arguments.work,
    )
    return Outcome(str(found), found.to_json())
