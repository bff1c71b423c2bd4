# SPDX-License-Identifier: Apache-2.0
"""Yosys: from SystemVerilog to a netlist of a device family's cells.

It runs in a process of its own: an error inside Yosys ends the process it happens in.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from intaglio.artifact import write_atomic
from intaglio.errors import ToolError
from intaglio.hw import library
from intaglio.tools.netlist import Cells, count_cells, open_unread_carries
from intaglio.tools.process import installed_version, run_logged, scratch_folder

_REQUIREMENT = "pyosys==0.70"
#: Takes commands as lists of words, so that no path is ever taken apart at its blanks.
_PROGRAM = """\
import json, sys
from pyosys import libyosys
design = libyosys.Design()
for command in json.loads(sys.argv[1]):
    libyosys.Pass.call(design, command)
"""
_PASS = re.compile(r"[\d.]+\. Executing (\w+)")


def yosys_version() -> str:
    """Return the version of Yosys.

    Raises:
        MissingToolError: it is not installed.
    """
    return installed_version("pyosys", "pyosys", _REQUIREMENT)


def synthesize_netlist(
    folder: Path,
    sources: Sequence[str],
    top: str,
    netlist: Path,
    *,
    log: Path,
    family: str = "ecp5",
    on_line: Callable[[str], None] | None = None,
) -> Cells:
    """Synthesize SystemVerilog files and write the netlist as JSON; return its cells.

    Args:
        folder: where `sources` and the files they read, such as memory images, are found.
        sources: files, relative to `folder`. They may instantiate the family's own cells.
        top: the top module.
        netlist: the file to write.
        log: what Yosys prints is added to this file.
        family: ecp5.
        on_line: called with every line Yosys prints.

    Raises:
        MissingToolError: Yosys is not installed.
        ToolError: Yosys refused the sources; the text has its first complaint.
    """
    yosys_version()
    with scratch_folder(netlist.parent / ".yosys") as work:
        raw = work.resolve() / "netlist.json"
        read = ["read_slang", "--threads", "1", "--top", top, *_declarations(family)]
        commands = [
            [*read, *sources],
            ["synth_lattice", "-family", family, "-top", top],
            ["write_json", str(raw)],
        ]
        run_logged(
            [sys.executable, "-c", _PROGRAM, json.dumps(commands)],
            cwd=folder,
            log=log,
            on_line=on_line,
            name="yosys",
        )
        document = json.loads(raw.read_text())
    module = document["modules"][top]
    document["modules"] = {top: module}
    open_unread_carries(module)
    write_atomic(netlist, json.dumps(document).encode())
    return count_cells(module)


def progress(line: str) -> tuple[str, str] | None:
    """Return (stage, detail) if a line Yosys prints begins one."""
    found = _PASS.match(line)
    return ("synthesize", found[1].lower()) if found else None


def _declarations(family: str) -> list[str]:
    """Return the words that declare a family's cells: Yosys' own, and ours of those it lacks."""
    cells = _cell_library(family)
    words = ["-v", str(cells)]
    known = cells.read_text()
    for model in library.models(family):
        name = model.name.removesuffix(".sv")
        if f"module {name}(" not in known:
            words += ["-v", str(model), "--blackboxed-module", name]
    return words


def _cell_library(family: str) -> Path:
    """Find Yosys' declarations of a family's cells, for those that sources instantiate."""
    library = f"pyosys/share/lattice/cells_bb_{family}.v"
    file = Path(str(metadata.distribution("pyosys").locate_file(library)))
    if not file.is_file():
        raise ToolError(f"the family of a device must be one Yosys knows, not {family!r}")
    return file
