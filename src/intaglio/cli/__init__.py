# SPDX-License-Identifier: Apache-2.0
"""The command line: one file a verb, each thin.

Exit status: 0 done; 1 a negative result (infeasible, different, a tool failed); 2 bad usage, input
or file system; 3 a tool is missing; 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from intaglio.artifact import version
from intaglio.cli import (
    check,
    cloud,
    demo,
    emit,
    evaluate,
    explore,
    export,
    inspect,
    predict,
    quantize,
    report,
    scalesim,
    simulate,
    sweep,
    synthesize,
    train,
)
from intaglio.errors import IntaglioError

COMMANDS = (
    train,
    inspect,
    quantize,
    evaluate,
    sweep,
    explore,
    predict,
    export,
    emit,
    simulate,
    synthesize,
    report,
    demo,
    check,
    scalesim,
    cloud,
)
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more, and leave with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = _Parser(
        prog="intaglio", description="Engraves integer networks in FPGA fabric.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"intaglio {version()}")
    verbs = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        verb = verbs.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False)
        module.arguments(verb)
        verb.add_argument("--json", action="store_true", help="print the result as JSON")
        verb.set_defaults(run=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(words)
    arguments.words = words
    try:
        outcome = arguments.run(arguments)
        print(json.dumps(outcome.document, indent=2) if arguments.json else outcome.text)
        return int(outcome.status)
    except IntaglioError as error:
        return _complain(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on from what is done", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output is gone; nothing more can be said to it
        return 0
    except MemoryError:
        return _complain("there must be enough memory for the model and its data; there is not", 2)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            where = f": {error.filename}" if error.filename else ""
            return _complain(f"the disk must have room, and it is full{where}: make some", 2)
        return _complain(str(error), 2)


def _complain(text: str, status: int) -> int:
    print(f"intaglio: {' '.join(text.split())}", file=sys.stderr)
    return status
