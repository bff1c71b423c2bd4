# SPDX-License-Identifier: Apache-2.0
"""Every library module on its own: no warning from Verilator, whatever family it is for."""

from __future__ import annotations

import os
import re
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from intaglio.hw import library
from intaglio.tools.verilator import verilator_root

BLOCKS = sorted(
    f.name.removesuffix(".sv") for f in resources.files("intaglio.hw").iterdir() if ".sv" in f.name
)
FAMILIES = ("none", "ecp5", "ice40")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_module_lints_clean_with_its_own_parameters(family: str, tmp_path: Path) -> None:
    for block in BLOCKS:
        (tmp_path / f"{block}.sv").write_text(library.source(block, family).read_text())
    for model in library.gate_models(family):
        (tmp_path / model.name).write_text(model.read_text())
    root = verilator_root()
    for block in BLOCKS:
        found = subprocess.run(
            [
                *(root / "bin" / "verilator_bin", "--lint-only", "-Wall", "-y", "."),
                *("--top-module", block, f"{block}.sv"),
            ],
            cwd=tmp_path,
            env={**os.environ, "VERILATOR_ROOT": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (found.returncode, found.stderr) == (0, ""), found.stderr


@pytest.mark.parametrize("block", BLOCKS)
def test_a_module_stands_alone_in_its_file_under_its_license(block: str) -> None:
    text = library.source(block, "none").read_text()
    assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n")
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [block]
    assert max(map(len, text.splitlines())) <= 100


def test_a_family_without_leaves_gets_the_portable_modules() -> None:
    assert library.source("multiplier", "none") == library.source("multiplier", "unheard-of")
    assert "MULT18X18D" in library.source("multiplier", "ecp5").read_text()
    assert library.leaves("none") == library.models("none", BLOCKS) == []


def test_blocks_are_simulated_with_the_models_they_need() -> None:
    def names(family: str, *blocks: str) -> list[str]:
        return [model.name for model in library.models(family, blocks)]

    assert library.leaves("ecp5") == ["multiplier", "row_adder"]
    assert names("ecp5", "delay", "multiplier") == ["MULT18X18D.sv"]
    assert names("ecp5", "row_adder", "multiplier") == ["MULT18X18D.sv", "row_adder.sv"]
    assert names("gowin", "row_adder", "multiplier") == []
    assert names("ice40", "multiplier", "stream_fifo") == ["SB_MAC16.sv"]
    cells = library.cell_models("ecp5", library.leaves("ecp5"))
    assert [cell.name for cell in cells] == ["CCU2C.sv", "MULT18X18D.sv"]
    names = [model.name for model in library.gate_models("ecp5")]
    assert names == ["CCU2C.sv", "DP16KD.sv", "MULT18X18D.sv"]
