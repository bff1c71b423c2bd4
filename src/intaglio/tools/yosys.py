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
from intaglio.hw import library
from intaglio.tools.families import toolchain
from intaglio.tools.netlist import Cells
from intaglio.tools.process import installed_version, run_logged, scratch_folder
from intaglio.tools.toolchain import Toolchain

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
    verilog: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Cells:
    """Synthesize SystemVerilog files and write the netlist as JSON; return its cells.

    Args:
        folder: where `sources` and the files they read, such as memory images, are found.
        sources: files, relative to `folder`. They may instantiate the family's own cells.
        top: the top module.
        netlist: the file to write.
        log: what Yosys prints is added to this file.
        family: one that `families` has tools for.
        verilog: where to write the netlist as Verilog too, before `families` mends it.
        on_line: called with every line Yosys prints.

    Raises:
        MissingToolError: Yosys is not installed.
        ToolError: Yosys refused the sources; the text has its first complaint. Or no tools are
            known for the family.
    """
    yosys_version()
    tools = toolchain(family)
    with scratch_folder(netlist.parent / ".yosys") as work:
        raw = work.resolve() / "netlist.json"
        read = ["read_slang", "--threads", "1", "--top", top, *_declarations(tools)]
        commands = [
            [*read, *sources],
            *([top if word == "TOP" else word for word in command] for command in tools.commands),
            ["write_json", str(raw)],
            *([["write_verilog", "-noattr", str(verilog.resolve())]] if verilog else []),
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
    tools.finish(module)
    write_atomic(netlist, json.dumps(document).encode())
    return tools.count(module)


def progress(line: str) -> tuple[str, str] | None:
    """Return (stage, detail) if a line Yosys prints begins one."""
    found = _PASS.match(line)
    return ("synthesize", found[1].lower()) if found else None


def _declarations(tools: Toolchain) -> list[str]:
    """Return the words that declare a family's cells: Yosys' own, and ours of those it lacks."""
    files = [shared_file(name) for name in tools.declarations]
    words = [word for file in files for word in ("-v", str(file))]
    for name in tools.boxes:
        words += ["--blackboxed-module", name]
    known = "".join(file.read_text() for file in files)
    for model in library.cell_models(tools.family, library.leaves(tools.family)):
        name = model.name.removesuffix(".sv")
        if not re.search(rf"\bmodule\s+{name}\b", known):
            words += ["-v", str(model), "--blackboxed-module", name]
    return words


def shared_file(name: str) -> Path:
    """Find a file that comes with Yosys."""
    return Path(str(metadata.distribution("pyosys").locate_file(f"pyosys/share/{name}")))
