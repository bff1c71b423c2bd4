# SPDX-License-Identifier: Apache-2.0
"""`intaglio explore PROGRAM --arch systolic`: the best array for a program on a device."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intaglio.arch.systolic.array import Dataflow
from intaglio.arch.systolic.store import save_array_design
from intaglio.cli.arguments import chosen_device
from intaglio.cli.outcome import Outcome
from intaglio.errors import ModelError
from intaglio.flow import explore_array
from intaglio.ops.store import load_program
from intaglio.report.array_exploration import (
    exploration_document,
    exploration_text,
    save_array_front,
    save_heat_map,
)
from intaglio.report.array_roofline import save_roofline

#: Of each layer, or of all layers alike.
_BEST = ("each", "any")
#: Options of these designs only, and what they are where they are left out.
OPTIONS: Mapping[str, Any] = {
    "dataflow": "each",
    "array": None,
    "beat_bits": 64,
    "roofline": None,
    "heatmap": None,
}


def add_array(parser: argparse.ArgumentParser) -> None:
    """Add what a search for an array may be kept to."""
    group = parser.add_argument_group("with --arch systolic", argument_default=argparse.SUPPRESS)
    group.add_argument(
        "--dataflow",
        choices=(*_BEST, *(flow.short for flow in Dataflow)),
        help="weights, inputs or outputs stand still: what is best for each layer (default), for "
        "all layers alike (any), or as given",
    )
    group.add_argument("--array", metavar="RxC", help="rows and columns, e.g. 16x8 (default: best)")
    group.add_argument(
        "--beat-bits",
        type=int,
        metavar="B",
        help=f"width of the port to external memory (default {OPTIONS['beat_bits']})",
    )
    group.add_argument(
        "--roofline", type=Path, metavar="FILE.png", help="draw what each layer reaches"
    )
    group.add_argument(
        "--heatmap", type=Path, metavar="FILE.png", help="draw the least cycles of every shape"
    )


def shape(text: str | None) -> tuple[int, int] | None:
    """Read `16x8`.

    Raises:
        ModelError: it is not of that form.
    """
    if text is None:
        return None
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal()):
        raise ModelError(f"--array must be like 16x8, not {text!r}")
    return int(rows), int(columns)


def run(arguments: argparse.Namespace) -> Outcome:
    """Search and write the design."""
    for option, path in (("heatmap", arguments.heatmap), ("roofline", arguments.roofline)):
        if path is not None and path.suffix != ".png":
            raise ModelError(f"--{option} must be a .png file, not {path}")
    found = explore_array(
        load_program(arguments.program),
        chosen_device(arguments),
        dataflow=None if arguments.dataflow in _BEST else Dataflow.parse(arguments.dataflow),
        mixed=arguments.dataflow == "each",
        shape=shape(arguments.array),
        beat_bits=arguments.beat_bits,
        fill=arguments.fill,
        front=arguments.pareto is not None,
    )
    output = arguments.output or arguments.program.with_suffix(".design")
    save_array_design(output, found.best)
    document = {"design": str(output), **exploration_document(found)}
    written = [output]
    if arguments.pareto is not None:
        save_array_front(arguments.pareto, found)
        document["pareto"] = str(arguments.pareto)
        written.append(arguments.pareto)
    if arguments.roofline is not None:
        save_roofline(arguments.roofline, found.best)
        document["roofline"] = str(arguments.roofline)
        written.append(arguments.roofline)
    if arguments.heatmap is not None:
        save_heat_map(arguments.heatmap, found)
        document["heatmap"] = str(arguments.heatmap)
        written.append(arguments.heatmap)
    return Outcome("\n".join((exploration_text(found), *map(str, written))), document)
