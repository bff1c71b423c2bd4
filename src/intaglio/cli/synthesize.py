# SPDX-License-Identifier: Apache-2.0
"""`intaglio synthesize BUNDLE`: to a bitstream with open tools, or to a Vivado project."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.arguments import add_device, chosen_device, positive
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.flow import Bundle, places, synthesize, vivado_project
from intaglio.report.summary import synthesis_document, synthesis_text
from intaglio.rtl.array_bundle import design_of

HELP = "a bundle to its bitstream, with LUT, FF, DSP, block RAM, Fmax; or to a Vivado project"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="what emit wrote")
    add_device(parser)
    parser.add_argument("--seed", type=int, default=1, help="of the placer")
    parser.add_argument(
        "--mhz", type=positive, default=200.0, help="clock that a Vivado project aims at"
    )
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        metavar="FOLDER",
        help="default: BUNDLE.synth, or BUNDLE.vivado",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Run the tools; the same contents are not run twice."""
    bundle = Bundle.load(arguments.bundle)
    made_for = bundle.manifest["device"]
    if arguments.device is not None and chosen_device(arguments).name != made_for:
        raise IntaglioError(
            f"--device must be {made_for}, which the bundle was made for, not {arguments.device}: "
            f"explore and emit again for the other one"
        )
    if not places(bundle):
        project = vivado_project(bundle, output=arguments.output, clock_mhz=arguments.mhz)
        return Outcome(str(project), project.to_json())
    found = synthesize(bundle, output=arguments.output, seed=arguments.seed)
    design = design_of(bundle)
    return Outcome(synthesis_text(design, found), synthesis_document(design, found))
