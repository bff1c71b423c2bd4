# SPDX-License-Identifier: Apache-2.0
"""Where the SystemVerilog of each block is: the portable one, or a family's own leaf."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

_HERE = resources.files("intaglio.hw")


def source(block: str, family: str) -> Traversable:
    """Return the module to build for a family: its own leaf where there is one."""
    leaf = _HERE / "vendor" / f"{block}_{family}.sv"
    return leaf if leaf.is_file() else _HERE / f"{block}.sv"


def names_module(name: str) -> bool:
    """Tell whether a module of the library, or a cell it instantiates, has a name."""
    folders = [folder for folder in (_HERE / "vendor").iterdir() if folder.is_dir()]
    return any((folder / f"{name}.sv").is_file() for folder in (_HERE, *folders))


def models(family: str) -> list[Traversable]:
    """Return our simulation models of the cells that a family's leaves instantiate."""
    leaves = [f for f in (_HERE / "vendor").iterdir() if f.name.endswith(f"_{family}.sv")]
    text = "".join(leaf.read_text() for leaf in leaves)
    return [model for model in gate_models(family) if model.name.removesuffix(".sv") in text]


def gate_models(family: str) -> list[Traversable]:
    """Return all our simulation models of a family's cells, those that only netlists have too."""
    folder = _HERE / "vendor" / f"{family}_models"
    if not folder.is_dir():
        return []
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sv")), key=lambda f: f.name)
