# SPDX-License-Identifier: Apache-2.0
"""`intaglio export PROGRAM --format NAME -o OUT`: a program's integers as files to take away."""

from __future__ import annotations

import argparse
from pathlib import Path

from intaglio.cli.outcome import Outcome
from intaglio.export import exporters
from intaglio.flow import export
from intaglio.ops.store import load_program

HELP = "write a program as files for other tools"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("program", metavar="PROGRAM", type=Path, help="what quantize wrote")
    says = "; ".join(f"{known.name}: {known.says}" for known in exporters().values())
    parser.add_argument("--format", metavar="NAME", required=True, help=says)
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="OUT", required=True, help="a file or a folder"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Write the files; they are read back and compared."""
    exported = export(load_program(arguments.program), arguments.output, arguments.format)
    count = f"{len(exported.files)} file{'s' if len(exported.files) > 1 else ''}"
    text = f"{arguments.output}: {exported.format}, {count}, read back and compared"
    document = {
        "format": exported.format,
        "files": [str(path) for path in exported.files],
        "notes": list(exported.notes),
    }
    return Outcome("\n".join([text, *exported.notes]), document)
