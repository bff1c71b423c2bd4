# SPDX-License-Identifier: Apache-2.0
"""`intaglio predict DESIGN`: the cycles of a design with a systolic array, layer by layer."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.store import read_any_design
from intaglio.cli.outcome import Outcome
from intaglio.errors import ModelError
from intaglio.report.array_summary import array_document, array_text

HELP = "foretell the cycles of a design with a systolic array, layer by layer"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("design", metavar="DESIGN", type=Path, help="what explore wrote")


def run(arguments: argparse.Namespace) -> Outcome:
    """Print the table."""
    design = read_any_design(arguments.design)
    if not isinstance(design, ArrayDesign):
        raise ModelError(
            f"{arguments.design} must be a design with an array; of a dataflow design explore says "
            "all cycles"
        )
    return Outcome(array_text(design), array_document(design))
