# SPDX-License-Identifier: Apache-2.0
"""`intaglio check`: are all tools here, and do all registered parts conform?"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from intaglio.cli.outcome import Outcome
from intaglio.compiler import compiler_path
from intaglio.devices import device, devices
from intaglio.errors import IntaglioError, MissingToolError
from intaglio.ops import operators
from intaglio.tools.nextpnr import nextpnr_version
from intaglio.tools.verilator import verilator_root
from intaglio.tools.yosys import yosys_version

HELP = "say which tools are present, and load every registered operator and device"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> Outcome:
    """Ask each tool for itself; status 3 where one is missing."""
    del arguments
    tools: dict[str, Callable[[], object]] = {
        "C++ compiler": compiler_path,
        "Verilator": verilator_root,
        "Yosys": yosys_version,
        "nextpnr": nextpnr_version,
    }
    rows = {name: _ask(tool) for name, tool in tools.items()}
    rows["operators"] = (True, ", ".join(sorted(operators())))
    rows["devices"] = (True, ", ".join(device(name).name for name in devices()))
    width = max(map(len, rows))
    text = "\n".join(
        f"{name:<{width}}  {'ok ' if present else 'MISSING'}  {what}"
        for name, (present, what) in rows.items()
    )
    document = {name: {"present": ok, "detail": what} for name, (ok, what) in rows.items()}
    missing = not all(present for present, _ in rows.values())
    return Outcome(text, document, MissingToolError.exit_status if missing else 0)


def _ask(tool: Callable[[], object]) -> tuple[bool, str]:
    try:
        return True, str(tool())
    except IntaglioError as error:
        return False, str(error)
