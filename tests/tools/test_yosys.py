# SPDX-License-Identifier: Apache-2.0
"""Yosys on small sources: cells, memory images, vendor cells, and errors in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intaglio.errors import MissingToolError, ToolError
from intaglio.tools import process
from intaglio.tools.netlist import Cells
from intaglio.tools.yosys import progress, synthesize_netlist, yosys_version


def synthesize(folder: Path, source: str, **options: str) -> Cells:
    (folder / "rtl").mkdir(exist_ok=True)
    (folder / "rtl" / "top.sv").write_text(source)
    out = folder / "out put"
    return synthesize_netlist(
        folder, ["rtl/top.sv"], "top", out / "netlist.json", log=out / "log", **options
    )


def test_an_adder_becomes_a_carry_chain(tmp_path: Path) -> None:
    cells = synthesize(
        tmp_path,
        """
module top (input logic clk, input logic [7:0] a, input logic [7:0] b, output logic [7:0] q);
  always_ff @(posedge clk) q <= a + b;
endmodule
""",
    )
    assert cells.counts == {"CCU2C": 4, "TRELLIS_FF": 8}
    assert cells.lut == 2 * 4 + 2 + 2
    out = tmp_path / "out put"
    netlist = json.loads((out / "netlist.json").read_text())
    assert list(netlist["modules"]) == ["top"]
    assert "SYNTH_LATTICE" in (out / "log").read_text()
    assert sorted(f.name for f in out.iterdir()) == ["log", "netlist.json"]


@pytest.mark.parametrize(("depth", "blocks"), [(512, 2), (1000, 3)])
def test_a_rom_reads_its_image_relative_to_the_folder(
    tmp_path: Path, depth: int, blocks: int
) -> None:
    (tmp_path / "mem").mkdir()
    words = "\n".join(f"{i * 0x9E3779B97F4A7C15 & (1 << 40) - 1:010x}" for i in range(depth))
    (tmp_path / "mem" / "rom.hex").write_text(words)
    cells = synthesize(
        tmp_path,
        f"""
module top (input logic clk, input logic [9:0] a, output logic [39:0] q);
  (* rom_style = "block" *) logic [39:0] rom [0:{depth - 1}];
  initial $readmemh("mem/rom.hex", rom);
  always_ff @(posedge clk) q <= rom[a];
endmodule
""",
    )
    assert (cells.bram, cells.counts.get("LUT4", 0)) == (blocks, 0)


def test_a_vendor_cell_may_be_instantiated(tmp_path: Path) -> None:
    cells = synthesize(
        tmp_path,
        """
module top (input logic clk, input logic a, output logic q);
  MULT18X18D #(.REG_OUTPUT_CLK("CLK0")) mult (.CLK0(clk), .A0(a), .B0(a), .P0(q));
endmodule
""",
    )
    assert cells.dsp == 1


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("module top (input logic a;\nendmodule\n", "rtl/top.sv:1: ERROR: expected ')'"),
        (
            "module top (output logic q);\n  other u (.q);\nendmodule\n",
            "rtl/top.sv:2: ERROR: unknown module 'other'",
        ),
        (
            "module top (input logic a, output logic q);\n  logic m [2];\n"
            '  initial $readmemh("none.hex", m);\n  assign q = m[a];\nendmodule\n',
            "rtl/top.sv:3: ERROR: failed to open file 'none.hex'",
        ),
    ],
)
def test_a_source_yosys_refuses_is_one_line(tmp_path: Path, source: str, complaint: str) -> None:
    with pytest.raises(ToolError) as error:
        synthesize(tmp_path, source)
    log = tmp_path / "out put" / "log"
    text = f"yosys must end with status 0, not status 1: {complaint}; see {log}"
    assert str(error.value) == text
    assert [f.name for f in log.parent.iterdir()] == ["log"]


def test_an_unknown_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as error:
        synthesize(tmp_path, "module top; endmodule", family="ecp6")
    assert str(error.value) == (
        "the family of a device must be one of ecp5, gowin, ice40, series7, ultrascale, not 'ecp6'"
    )


def test_without_yosys_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yosys_version() == "0.70"
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError) as error:
        yosys_version()
    text = "pyosys must be installed for this step, and it is not: pip install pyosys==0.70"
    assert str(error.value) == text


def test_passes_are_progress() -> None:
    line = "2.28. Executing MEMORY_LIBMAP pass (mapping memories to cells)."
    assert progress(line) == ("synthesize", "memory_libmap")
    assert progress("Removed 1 unused cells.") is None
