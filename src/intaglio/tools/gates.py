# SPDX-License-Identifier: Apache-2.0
"""A bundle's netlist as a bundle: simulated like its sources, against the same bits and cycles.

What Yosys made of the sources is written as Verilog. The family's cells are Yosys' own models of
tables, flip-flops, carries and distributed RAM, and ours of multipliers and block RAM.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from intaglio.artifact import content_hash
from intaglio.errors import ToolError
from intaglio.folder import replaced
from intaglio.hw import library
from intaglio.rtl.bundle import DESIGN, Bundle
from intaglio.tools.families import toolchain
from intaglio.tools.yosys import shared_file, synthesize_netlist, yosys_version

_NETLIST = "netlist.v"
#: Includes of Yosys' files that are not needed: what they declare is in no netlist.
_NARROW = "`define NO_INCLUDES\n"
#: A module of theirs that says nothing but its pins.
_BOX = re.compile(r"\(\* blackbox \*\)\s*module\b.*?\bendmodule\b", re.DOTALL)
#: What they do include.
_INIT = "parse_init.vh"


def gate_level(bundle: Bundle, work: Path) -> Bundle:
    """Synthesize a bundle and return its netlist as a bundle that `simulate` takes.

    Args:
        bundle: what `emit` wrote.
        work: a folder for it, replaced when all is there; Yosys' log is beside it.

    Raises:
        ToolError: Yosys failed, or cells of the family have no models.
        MissingToolError: Yosys is not installed.
    """
    design = bundle.design()
    family = design.device.family
    models = cell_models(family)
    with replaced(work) as fresh:
        synthesize_netlist(
            bundle.folder,
            bundle.sources,
            bundle.top,
            fresh / "netlist.json",
            log=work.with_name(f"{work.name}.yosys.log"),
            family=family,
            verilog=fresh / _NETLIST,
        )
        for name, text in models.items():
            (fresh / name).write_text(text)
        shutil.copyfile(bundle.folder / DESIGN, fresh / DESIGN)
    manifest = {
        **bundle.manifest,
        "sources": [_NETLIST],
        "models": [name for name in models if not name.endswith(".vh")],
        "gate_level": True,
        "sha256": content_hash("gates", {"of": bundle.sha256, "yosys": yosys_version()}, {}),
    }
    return Bundle(work, bundle.top, manifest)


def cell_models(family: str) -> dict[str, str]:
    """Return what a family's cells do, as files by name; those that end in .vh are included.

    Raises:
        ToolError: there are no models of the family's cells.
    """
    tools = toolchain(family)
    if not tools.gates:
        raise ToolError(
            f"a netlist must be of a family whose cells have models to be simulated, not {family}"
        )
    texts = {name: shared_file(name).read_text() for name in tools.gates}
    cells = _BOX.sub("", "".join(texts.values()))
    included = {Path(name).parent / _INIT for name, text in texts.items() if _INIT in text}
    return {
        "cells.v": _NARROW + cells,
        **{file.name: shared_file(file.as_posix()).read_text() for file in included},
        **{
            m.name: m.read_text()
            for m in library.gate_models(family)
            if not _declares(cells, m.name)
        },
    }


def _declares(cells: str, model: str) -> bool:
    """Tell whether Yosys models a cell itself."""
    return re.search(rf"\bmodule\s+{model.removesuffix('.sv')}\b", cells) is not None
