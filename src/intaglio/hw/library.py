# SPDX-License-Identifier: Apache-2.0
"""Where the SystemVerilog of each block is: the portable one, or a family's own leaf.

A leaf is simulated as it is built, with our models of the cells it instantiates. A leaf that is a
chain of logic cells, of which a design has thousands, is simulated by its portable form instead:
that is ten times as fast, and both are proven equal for every input (decision 15).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib import resources
from importlib.resources.abc import Traversable

#: Blocks whose leaves are chains of logic cells; `tests/hw/test_stand_ins.py` has the proof.
STAND_INS = frozenset({"row_adder"})
_HERE = resources.files("intaglio.hw")


def source(block: str, family: str) -> Traversable:
    """Return the module to build for a family: its own leaf where there is one."""
    leaf = _leaf(block, family)
    return leaf if leaf.is_file() else portable(block)


def portable(block: str) -> Traversable:
    """Return the module for families that have no leaf of their own."""
    return _HERE / f"{block}.sv"


def names_module(name: str) -> bool:
    """Tell whether a module of the library, or a cell it instantiates, has a name."""
    folders = [folder for folder in (_HERE / "vendor").iterdir() if folder.is_dir()]
    return any((folder / f"{name}.sv").is_file() for folder in (_HERE, *folders))


def models(family: str, blocks: Collection[str]) -> list[Traversable]:
    """Return what simulating some blocks needs beside them.

    A module that bears the name of a block takes its place.
    """
    used = set(leaves(family)).intersection(blocks)
    stand_ins = [portable(block) for block in sorted(used & STAND_INS)]
    return [*cell_models(family, used - STAND_INS), *stand_ins]


def leaves(family: str) -> list[str]:
    """Return the blocks of which a family has a leaf of its own."""
    end = f"_{family}.sv"
    names = [file.name for file in (_HERE / "vendor").iterdir()]
    return sorted(name.removesuffix(end) for name in names if name.endswith(end))


def cell_models(family: str, blocks: Iterable[str]) -> list[Traversable]:
    """Return our simulation models of the cells that a family's leaves of blocks instantiate."""
    text = "".join(_leaf(block, family).read_text() for block in blocks)
    return [model for model in gate_models(family) if model.name.removesuffix(".sv") in text]


def gate_models(family: str) -> list[Traversable]:
    """Return all our simulation models of a family's cells, those that only netlists have too."""
    folder = _HERE / "vendor" / f"{family}_models"
    if not folder.is_dir():
        return []
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sv")), key=lambda f: f.name)


def _leaf(block: str, family: str) -> Traversable:
    return _HERE / "vendor" / f"{block}_{family}.sv"
