# SPDX-License-Identifier: Apache-2.0
"""`intaglio inspect MODEL`: what of a model converts, and why the rest does not."""

from __future__ import annotations

import argparse

from intaglio.cli.arguments import add_model, shapes
from intaglio.cli.outcome import Outcome

HELP = "show for every node of a model whether it converts, why not, and its size"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Print the conversion report; status 1 where a node is not supported."""
    from intaglio.frontend import inspect_onnx

    found = inspect_onnx(arguments.model, shapes=shapes(arguments.shape))
    return Outcome(str(found), found.to_json(), 0 if found.supported else 1)
