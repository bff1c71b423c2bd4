# SPDX-License-Identifier: Apache-2.0
"""`intaglio evaluate MODEL PROGRAM --data DATA`: integers against floats."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.arguments import add_data, add_model, model
from intaglio.cli.outcome import Outcome
from intaglio.flow import evaluate
from intaglio.flow.samples import read_samples
from intaglio.ops.store import load_program

HELP = "compare a program with its float model: accuracy, and the error of every layer"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("program", metavar="PROGRAM", type=Path, help="what quantize wrote")
    add_data(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Evaluate both on the same images."""
    samples = read_samples(arguments.data).first(arguments.count)
    program = load_program(arguments.program)
    found = evaluate(model(arguments), program, samples.images, samples.labels)
    return Outcome(str(found), found.to_json())
