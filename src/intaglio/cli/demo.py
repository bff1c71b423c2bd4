# SPDX-License-Identifier: Apache-2.0
"""`intaglio demo`: LeNet-5 from training to a bitstream and a report, in one command."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.outcome import Outcome

HELP = "train LeNet-5, quantise, fold, emit, simulate, place and route it, and write the report"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from intaglio.flow.demo import DEFAULT_IMAGES, STAGES

    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="MNIST IDX files (default: scikit-learn's digits)"
    )
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        default=Path("build/demo"),
        metavar="FOLDER",
        help="default: build/demo",
    )
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="stop after this stage")
    parser.add_argument(
        "-n",
        dest="count",
        type=int,
        default=DEFAULT_IMAGES,
        metavar="N",
        help=f"test images to simulate (default {DEFAULT_IMAGES})",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Run every stage that is not done yet."""
    from intaglio.flow.demo import demo

    summary = demo(
        arguments.output, data=arguments.data, until=arguments.until, images=arguments.count
    )
    return Outcome(str(summary), summary.document)
