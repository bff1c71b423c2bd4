# SPDX-License-Identifier: Apache-2.0
"""`intaglio emit DESIGN -o FOLDER`: a design becomes SystemVerilog."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.arch.systolic.store import read_any_design
from intaglio.cli.arguments import add_data
from intaglio.cli.outcome import Outcome
from intaglio.flow import emit
from intaglio.flow.samples import read_samples

HELP = "write a design as a bundle: SystemVerilog, memory images, bench, vectors, page"

#: Of the data, where no number is named: a bench of many more is slow in an ordinary simulator.
FRAMES = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("design", metavar="DESIGN", type=Path, help="what explore wrote")
    parser.add_argument("-o", dest="output", type=Path, metavar="FOLDER", required=True)
    add_data(parser, required=False)


def run(arguments: argparse.Namespace) -> Outcome:
    """Write the bundle; with data, its bench drives those frames."""
    design = read_any_design(arguments.design)
    frames = None
    if arguments.data:
        samples = read_samples(arguments.data)
        count = min(FRAMES, len(samples.images)) if arguments.count is None else arguments.count
        frames = design.program.quantize_input(samples.first(count).images)
    bundle = emit(design, arguments.output, frames)
    text = f"{bundle.folder}: top level rtl/{bundle.top}.sv, {len(bundle.sources)} sources"
    document = {"bundle": str(bundle.folder), "top": bundle.top, "sha256": bundle.sha256}
    return Outcome(text, document)
