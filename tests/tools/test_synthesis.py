# SPDX-License-Identifier: Apache-2.0
"""A small design to its bitstream with the real tools; then what is made again, and when."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intaglio.devices import device, devices
from intaglio.errors import ArtifactError, InfeasibleError, ToolError
from intaglio.tools import nextpnr, synthesis, yosys
from intaglio.tools.netlist import Cells
from intaglio.tools.nextpnr import Placed
from intaglio.tools.synthesis import (
    Synthesis,
    load_synthesis,
    synthesis_keys,
    synthesize_sources,
)

SMALL = device("ecp5-25f")
SOURCES = ["rtl/multiplier.sv", "rtl/top.sv"]
#: Two registered multiplier blocks and an inferred one, a ROM in block RAM, a LUT RAM, an
#: accumulator, and a comparison whose carry leaves its chain.
TOP = """
module top (
  input logic clk, input logic rst, input logic we,
  input logic signed [7:0] a, input logic signed [7:0] b,
  output logic signed [15:0] q, output logic over
);
  (* rom_style = "block" *) logic [15:0] rom [0:299];
  initial $readmemh("mem/rom.hex", rom);
  (* ram_style = "distributed", no_rw_check *) logic [7:0] ram [0:15];
  logic [8:0] address;
  logic [15:0] word;
  logic [7:0] kept;
  logic signed [15:0] p0, p1, p2;
  always_ff @(posedge clk) begin
    if (rst) address <= '0;
    else address <= address == 299 ? '0 : address + 1'b1;
    word <= rom[address];
    if (we) ram[address[3:0]] <= b;
    kept <= ram[a[3:0]];
    p2 <= a * b;
    q <= q + p0 + p1 + p2;
    over <= q > p2;
  end
  multiplier m0 (.clk, .a(a), .b(word[7:0]), .p(p0));
  multiplier m1 (.clk, .a(kept), .b(word[15:8]), .p(p1));
endmodule
"""


def ports(name: str, signal: str, width: int) -> str:
    return ", ".join(f".{name}{i}({signal}[{i}])" for i in range(width))


MULTIPLIER = f"""
module multiplier (
  input logic clk, input logic signed [7:0] a, input logic signed [7:0] b,
  output logic signed [15:0] p
);
  logic [17:0] wide_a, wide_b;
  assign wide_a = 18'(a);
  assign wide_b = 18'(b);
  MULT18X18D #(
    .REG_INPUTA_CLK("CLK0"), .REG_INPUTB_CLK("CLK0"), .REG_OUTPUT_CLK("CLK0")
  ) mult (
    .CLK0(clk), .CE0(1'b1), .RST0(1'b0),
    .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
    {ports("A", "wide_a", 18)}, {ports("B", "wide_b", 18)}, {ports("P", "p", 16)}
  );
endmodule
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_design(tmp_path / "bundle")
    return tmp_path / "bundle"


def write_design(folder: Path) -> None:
    (folder / "rtl").mkdir(parents=True)
    (folder / "mem").mkdir()
    (folder / "rtl" / "top.sv").write_text(TOP)
    (folder / "rtl" / "multiplier.sv").write_text(MULTIPLIER)
    words = (i * 40503 % 65536 for i in range(300))
    (folder / "mem" / "rom.hex").write_text("\n".join(f"{w:04x}" for w in words) + "\n")


def test_a_design_becomes_a_bitstream(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out put"
    made = synthesize_sources(folder, SOURCES, "top", SMALL, out)
    assert (made.cells.dsp, made.cells.bram) == (3, 1)
    assert made.cells.counts["TRELLIS_DPR16X4"] == 2
    placed = made.placed
    assert (placed.lut, placed.ff) == (made.cells.lut, made.cells.ff)
    assert (placed.dsp, placed.bram, placed.pins) == (3, 1, 1 + 1 + 1 + 8 + 8 + 16 + 1)
    assert 20 < placed.fmax_mhz < 600
    pattern = r".+ to .+: [\d.]+ ns, [\d.]+ in cells \(\d+ on the way\) and [\d.]+ in wires"
    assert re.fullmatch(pattern, placed.critical_path)
    assert (out / made.bitstream).stat().st_size > 10_000
    assert made.tools == {"yosys": "0.70", "nextpnr": nextpnr.nextpnr_version()}
    assert "synthesize top for ecp5-25f: bitstream" in capsys.readouterr().err
    kept = {"cells.json", "design.bit", "netlist.json", "synthesis.json", "synthesis.log"}
    kept.add("floor.json")
    used = Counter[str]()
    for tile in made.floor:
        used[tile.kind] += tile.count
    assert used == {kind: getattr(placed, kind) for kind in ("lut", "ff", "dsp", "bram", "pins")}
    assert {f.name for f in out.iterdir()} == kept
    assert load_synthesis(out) == made
    told = ("top", SMALL, made.seed, made.tools)
    assert synthesis_keys(folder, SOURCES, *told)[1] == made.key
    (folder / "rtl" / "top.sv").write_text(TOP + "\n")
    assert synthesis_keys(folder, SOURCES, *told)[1] != made.key


@pytest.mark.parametrize("name", [n for n in devices() if device(n).family == "ecp5"])
def test_a_device_counts_what_nextpnr_counts(folder: Path, tmp_path: Path, name: str) -> None:
    """A device with nothing on it is too small by just the design, and the table is in the log."""
    full = device(name)
    empty = replace(full, lut=0)
    with pytest.raises(InfeasibleError, match=rf"must fit {name}, not need lut (\d+) of 0"):
        synthesize_sources(folder, SOURCES, "top", empty, tmp_path / "out", progress=False)
    log = (tmp_path / "out" / "synthesis.log").read_text()
    for cell, kind in (
        ("TRELLIS_COMB", "lut"),
        ("TRELLIS_FF", "ff"),
        ("MULT18X18D", "dsp"),
        ("DP16KD", "bram"),
    ):
        (available,) = re.findall(rf"{cell}:\s+\d+/\s*(\d+)", log)
        assert int(available) == getattr(full, kind)


class Tools:
    """Stands in for both tools and remembers what was run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: list[str] = []
        self.before_place: Callable[[], None] = lambda: None
        monkeypatch.setattr(yosys, "synthesize_netlist", self._synthesize)
        monkeypatch.setattr(nextpnr, "place_and_route", self._place)

    def _synthesize(self, *arguments: Any, **_: object) -> Cells:
        _folder, _sources, _top, netlist = arguments
        self.ran.append("yosys")
        netlist.write_text(f"{{}} {len(self.ran)}")
        return Cells(1, 2, 3, 4, {"LUT4": 1})

    def _place(self, *arguments: Any, **_: object) -> Placed:
        _netlist, _device, bitstream = arguments
        self.before_place()
        self.ran.append("nextpnr")
        bitstream.write_bytes(b"bits")
        return Placed(1, 2, 3, 4, 5, 100.0, "a to b")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    return Tools(monkeypatch)


def make(folder: Path, out: Path, *, seed: int = 1, part: str = "ecp5-25f") -> Synthesis:
    return synthesize_sources(folder, SOURCES, "top", device(part), out, seed=seed, progress=False)


def test_an_equal_call_runs_nothing(folder: Path, tmp_path: Path, tools: Tools) -> None:
    first = make(folder, tmp_path / "out")
    assert tools.ran == ["yosys", "nextpnr"]
    assert make(folder, tmp_path / "out") == first
    assert tools.ran == ["yosys", "nextpnr"]


@pytest.mark.parametrize("name", ["rtl/top.sv", "mem/rom.hex"])
def test_a_changed_file_runs_all_again(
    folder: Path, tmp_path: Path, tools: Tools, name: str
) -> None:
    first = make(folder, tmp_path / "out")
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert make(folder, tmp_path / "out").key != first.key
    assert tools.ran == ["yosys", "nextpnr"] * 2


def test_another_seed_or_device_keeps_the_netlist(
    folder: Path, tmp_path: Path, tools: Tools
) -> None:
    first = make(folder, tmp_path / "out")
    other = make(folder, tmp_path / "out", seed=2)
    assert (other.seed, other.key != first.key) == (2, True)
    make(folder, tmp_path / "out", part="ecp5-45f")
    assert tools.ran == ["yosys", "nextpnr", "nextpnr", "nextpnr"]


def test_an_interrupted_run_goes_on_after_the_netlist(
    folder: Path, tmp_path: Path, tools: Tools
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    tools.before_place = interrupt
    with pytest.raises(KeyboardInterrupt):
        make(folder, tmp_path / "out")
    assert not (tmp_path / "out" / "synthesis.json").exists()
    tools.before_place = lambda: None
    make(folder, tmp_path / "out")
    assert tools.ran == ["yosys", "nextpnr"]


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("design.bit", ["nextpnr"]),
        ("synthesis.json", ["nextpnr"]),
        ("netlist.json", []),
    ],
)
def test_a_damaged_file_is_made_again(
    folder: Path, tmp_path: Path, tools: Tools, name: str, again: list[str]
) -> None:
    out = tmp_path / "out"
    first = make(folder, out)
    (out / name).write_bytes(b"{")
    assert make(folder, out) == replace(first, seconds=make(folder, out).seconds)
    assert tools.ran == ["yosys", "nextpnr", *again]


def test_a_damaged_netlist_is_made_again_when_it_is_needed(
    folder: Path, tmp_path: Path, tools: Tools
) -> None:
    make(folder, tmp_path / "out")
    (tmp_path / "out" / "netlist.json").write_bytes(b"{")
    make(folder, tmp_path / "out", seed=2)
    assert tools.ran == ["yosys", "nextpnr"] * 2


def test_a_missing_source_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "rtl" / "top.sv").unlink()
    with pytest.raises(ToolError) as error:
        make(folder, tmp_path / "out")
    path = folder / "rtl" / "top.sv"
    assert str(error.value) == f"{path} must be there to be synthesized; it is missing"
    assert not (tmp_path / "out").exists()


def test_a_broken_source_leaves_a_log_and_no_result(folder: Path, tmp_path: Path) -> None:
    (folder / "rtl" / "top.sv").write_text("module top;")
    out = tmp_path / "out"
    with pytest.raises(ToolError, match=r"yosys must end with status 0, .*top.sv:1: ERROR: .*log$"):
        make(folder, out)
    assert [f.name for f in out.iterdir()] == ["synthesis.log"]


def test_a_folder_without_a_result_is_told(folder: Path, tmp_path: Path, tools: Tools) -> None:
    out = tmp_path / "out"
    with pytest.raises(ArtifactError) as error:
        load_synthesis(out)
    assert str(error.value) == f"{out} must hold a finished synthesis; run synthesize again"
    made = make(folder, out)
    assert load_synthesis(out) == made
    record = json.loads((out / synthesis.RECORD).read_text())
    del record["placed"]["lut"]
    (out / synthesis.RECORD).write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match="must hold a finished synthesis"):
        load_synthesis(out)


def test_a_result_prints_its_figures(folder: Path, tmp_path: Path, tools: Tools) -> None:
    text = "top on ecp5-25f: 1 LUT, 2 FF, 3 DSP, 4 block RAM, 100.0 MHz"
    assert str(make(folder, tmp_path / "out")) == text
