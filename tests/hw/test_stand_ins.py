# SPDX-License-Identifier: Apache-2.0
"""Leaves that are simulated by their portable form: proven equal, for every input there is.

Yosys' SAT solver looks for an input of any value at which both differ, width by width.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from intaglio.devices.family import families
from intaglio.hw import library

#: Beyond the sums of the widest products there are, 16 by 16 bits.
WIDTHS = range(1, 41)
BOTH = """\
module both #(parameter int Width = 8, parameter bit Subtract = 0) (
  input logic [Width-1:0] high, low, input logic high_gate, low_gate, output logic differ
);
  logic [Width-1:0] leaf, portable;
  leaf #(.Width(Width), .Subtract(Subtract)) u_leaf (
    .high_i(high), .high_gate_i(high_gate), .low_i(low), .low_gate_i(low_gate), .sum_o(leaf)
  );
  portable #(.Width(Width), .Subtract(Subtract)) u_portable (
    .high_i(high), .high_gate_i(high_gate), .low_i(low), .low_gate_i(low_gate), .sum_o(portable)
  );
  assign differ = leaf != portable;
endmodule
"""
#: Each list of commands begins with nothing; a proof that fails is an error.
PROGRAM = """\
import json, sys
from pyosys import libyosys
for commands in json.loads(sys.argv[1]):
    design = libyosys.Design()
    for command in commands:
        libyosys.Pass.call(design, command)
"""
SIZES = tuple(product(WIDTHS, (0, 1)))


def prove(folder: Path, portable: str, sizes: tuple[tuple[int, int], ...]) -> tuple[int, str]:
    """Write both forms of the adder and prove them equal; return status and what Yosys said."""
    leaf = library.source("row_adder", "ecp5").read_text()
    models = library.cell_models("ecp5", ["row_adder"])
    files = {
        "both.sv": BOTH,
        "leaf.sv": leaf.replace("module row_adder ", "module leaf "),
        "portable.sv": portable.replace("module row_adder ", "module portable "),
        **{model.name: model.read_text() for model in models},
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    proofs = [
        [
            ["read_slang", "--top", "both", "-G", f"Width={w}", "-G", f"Subtract={s}", *files],
            ["flatten"],
            ["proc"],
            ["opt_clean"],
            ["sat", "-verify", "-prove", "differ", "0", "both"],
        ]
        for w, s in sizes
    ]
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(proofs)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr


def test_the_leaf_and_its_portable_form_are_equal(tmp_path: Path) -> None:
    status, text = prove(tmp_path, library.portable("row_adder").read_text(), SIZES)
    assert status == 0, text[-2000:]
    assert text.count("no model found: SUCCESS") == len(SIZES)


@pytest.mark.parametrize(("right", "wrong"), [("low - high", "high - low"), ("low + high", "low")])
def test_the_proof_sees_a_difference(tmp_path: Path, right: str, wrong: str) -> None:
    portable = library.portable("row_adder").read_text()
    assert right in portable
    status, text = prove(tmp_path, portable.replace(right, wrong), ((8, int("-" in right)),))
    assert status != 0
    assert "proof did fail" in text


def test_all_that_stands_in_is_proven_here() -> None:
    found = {(family, block) for family in families() for block in library.leaves(family)}
    assert {pair for pair in found if pair[1] in library.STAND_INS} == {("ecp5", "row_adder")}
