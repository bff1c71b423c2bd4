# SPDX-License-Identifier: Apache-2.0
"""`intaglio explore PROGRAM --device D`: the best design of a program on a device."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from intaglio.arch.store import save_design
from intaglio.cli import arrays
from intaglio.cli.arguments import add_device, chosen_device, positive, share
from intaglio.cli.outcome import Outcome
from intaglio.errors import ModelError
from intaglio.flow import CLOCK_MHZ, FILL, LOGIC_FILL, Design, Objective, explore, tradeoffs
from intaglio.ops.store import load_program
from intaglio.report.front import require_ending, save_front
from intaglio.report.summary import design_document, design_text

HELP = "find the fastest or quickest design that fits a device, or the smallest fast enough"
#: Options of one architecture only, and what they are where they are left out.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "dataflow": {
        "objective": "throughput",
        "target_fps": None,
        "target_latency_us": None,
        "clock_mhz": CLOCK_MHZ,
        "logic_fill": LOGIC_FILL,
    },
    "systolic": arrays.OPTIONS,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("program", metavar="PROGRAM", type=Path, help="what quantize wrote")
    add_device(parser)
    parser.add_argument(
        "--arch",
        choices=("dataflow", "systolic"),
        default="dataflow",
        help="a unit for every layer (default), or one systolic array for all of them",
    )
    parser.add_argument(
        "--fill",
        type=share,
        default=FILL,
        metavar="S",
        help=f"share of multipliers and block RAMs to keep to where possible (default {FILL:g})",
    )
    add_target(parser)
    arrays.add_array(parser)
    parser.add_argument(
        "--pareto",
        type=Path,
        metavar="FILE",
        help="also write the designs between the fastest and the smallest: .csv or .png",
    )
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FILE", help="default: PROGRAM with .design"
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add what to aim for."""
    group = parser.add_argument_group("with --arch dataflow", argument_default=argparse.SUPPRESS)
    aims = group.add_mutually_exclusive_group()
    aims.add_argument(
        "--objective",
        choices=get_args(Objective),
        help="what to seek within the device (default throughput)",
    )
    aims.add_argument(
        "--target-fps", type=positive, metavar="F", help="the smallest design this fast"
    )
    aims.add_argument(
        "--target-latency-us",
        type=positive,
        metavar="U",
        help="the smallest design found whose frames take no longer from first beat to last",
    )
    group.add_argument(
        "--clock-mhz",
        type=positive,
        metavar="M",
        help=f"clock that targets are reckoned with (default {CLOCK_MHZ:g})",
    )
    group.add_argument(
        "--logic-fill",
        type=share,
        metavar="S",
        help=f"share of tables and flip-flops to keep to (default {LOGIC_FILL:g})",
    )


def settled(arguments: argparse.Namespace) -> argparse.Namespace:
    """Fill in options that were left out.

    Raises:
        ModelError: one is of the other architecture, for which it means nothing.
    """
    for arch, options in OPTIONS.items():
        given = [name for name in options if hasattr(arguments, name)]
        if given and arch != arguments.arch:
            raise ModelError(
                f"--{given[0].replace('_', '-')} must come with --arch {arch}, "
                f"not {arguments.arch}: leave it out, or choose that"
            )
    return argparse.Namespace(**{**OPTIONS[arguments.arch], **vars(arguments)})


def best(arguments: argparse.Namespace, program: Path) -> Design:
    """Explore for what the arguments aim at."""
    return explore(
        load_program(program),
        chosen_device(arguments),
        objective=arguments.objective,
        target_fps=arguments.target_fps,
        target_latency_us=arguments.target_latency_us,
        clock_mhz=arguments.clock_mhz,
        fill=arguments.fill,
        logic_fill=arguments.logic_fill,
    ).best


def run(arguments: argparse.Namespace) -> Outcome:
    """Search and write the design."""
    arguments = settled(arguments)
    if arguments.pareto is not None:
        require_ending(arguments.pareto)
    if arguments.arch == "systolic":
        return arrays.run(arguments)
    design = best(arguments, arguments.program)
    output = arguments.output or arguments.program.with_suffix(".design")
    save_design(output, design)
    document = {"design": str(output), **design_document(design)}
    text = f"{design_text(design)}\n{output}"
    if arguments.pareto is not None:
        front = tradeoffs(
            design.program,
            design.device,
            fill=arguments.fill,
            logic_fill=arguments.logic_fill,
        )
        save_front(arguments.pareto, front, design, arguments.clock_mhz)
        document["pareto"] = str(arguments.pareto)
        text += f"\n{arguments.pareto}"
    return Outcome(text, document)
