# SPDX-License-Identifier: Apache-2.0
"""`intaglio cloud VERB`: prices, plans, simulations and elastic runs on rented machines."""

from __future__ import annotations

import argparse

from intaglio.cli import cloud_plan, cloud_prices, cloud_run, cloud_simulate
from intaglio.cli.outcome import Outcome

HELP = "plan training on rented machines: the least money by a deadline, proven"
VERBS = {"prices": cloud_prices, "plan": cloud_plan, "simulate": cloud_simulate, "run": cloud_run}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs and their arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        verb = verbs.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False)
        module.arguments(verb)
        verb.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="print the result as JSON",
        )


def run(arguments: argparse.Namespace) -> Outcome:
    """Run the verb."""
    return VERBS[arguments.verb].run(arguments)
