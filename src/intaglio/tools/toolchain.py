# SPDX-License-Identifier: Apache-2.0
"""What makes a family's netlists and bitstreams: data for Yosys, nextpnr and the packer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intaglio.devices.description import Device
from intaglio.tools.netlist import Cells

#: A netlist's module in Yosys' JSON form.
Module = Mapping[str, Any]


@dataclass(frozen=True)
class Program:
    """A program that comes as Python: what messages call it, and the interpreter's arguments."""

    name: str
    arguments: tuple[str, ...]

    @classmethod
    def packaged(cls, module: str, name: str, *arguments: str) -> Program:
        """Return a program that a package offers as a function `run_NAME`."""
        code = f"import sys, {module} as tools; sys.exit(tools.run_{name}(sys.argv[1:]))"
        return cls(name.replace("_", "-"), ("-c", code, *arguments))


@dataclass(frozen=True)
class Placer:
    """A family's nextpnr, and what makes a bitstream of its result.

    `kinds` maps its cells to kinds of a Device's, with how many of these each counts; `counted`
    are lines that say more of a kind. `arguments` returns those that name the part, once it has
    written what pins and the like need beside the netlist. `untimed` names the kind of cells that
    its timing knows nothing of, or is empty. `target_mhz` is the clock aimed at. `places` maps the
    letters a place's name begins with to the kind of the cells there, where these go by other names
    than in `kinds`.
    """

    package: str
    module: str
    requirement: str
    program: Program
    kinds: Mapping[str, tuple[str, int]]
    counted: tuple[tuple[re.Pattern[str], str], ...]
    mapped: re.Pattern[str]
    arguments: Callable[[Device, Path], list[str]]
    packer: Program
    bitstream: str
    target_mhz: float = 100.0
    untimed: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Toolchain:
    """How a netlist is made for a family and, where open tools can, a bitstream.

    `declarations` are files of Yosys that declare the cells which leaves instantiate; `boxes` are
    those of them that have a body there and are to be left as they are. `commands` synthesize,
    with `TOP` for the top module. `finish` mends a netlist before it is placed. `gates` are
    files of Yosys that say what its cells do, for simulation with our models of the others.
    """

    family: str
    declarations: tuple[str, ...]
    boxes: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    count: Callable[[Module], Cells]
    finish: Callable[[Module], object]
    placer: Placer | None
    gates: tuple[str, ...] = ()


def unchanged(module: Module) -> None:
    """Leave a netlist as it is."""
