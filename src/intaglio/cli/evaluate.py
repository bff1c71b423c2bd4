# SPDX-License-Identifier: Apache-2.0
"""`intaglio evaluate MODEL PROGRAM --data DATA`: integers against floats."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.artifact import load
from intaglio.cli.arguments import add_data, add_model, model
from intaglio.cli.outcome import Outcome
from intaglio.flow import evaluate
from intaglio.flow.samples import read_samples
from intaglio.ops.store import load_program
from intaglio.quantize.seen import seen_before, seen_warning

HELP = "compare a program with its float model: accuracy, and the error of every layer"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("program", metavar="PROGRAM", type=Path, help="what quantize wrote")
    add_data(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Evaluate both on the same images."""
    graph = model(arguments)
    samples = read_samples(arguments.data).first(arguments.count).fitted(graph)
    program = load_program(arguments.program)
    found = evaluate(graph, program, samples.images, samples.labels)
    calibrated = load(arguments.program, "program").provenance.get("calibration_frames", ())
    seen = seen_before(calibrated, graph.frames(samples.images))
    warnings = [seen_warning(seen, found.count)] if seen else []
    document = {**found.to_json(), "warnings": warnings}
    return Outcome("\n".join([*(f"warning: {text}" for text in warnings), str(found)]), document)
