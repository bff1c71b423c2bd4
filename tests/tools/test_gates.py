# SPDX-License-Identifier: Apache-2.0
"""Netlists in Verilator: the same bits at the same cycles as the sources they were made of."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.devices.description import Device
from intaglio.errors import ToolError, VerificationError
from intaglio.explore.folding import best_throughput, least_area
from intaglio.hw import library
from intaglio.hw.unit import Image
from intaglio.ir.graph import Program
from intaglio.rtl.bundle import Bundle, emit
from intaglio.tools.gates import cell_models, gate_level
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from intaglio.tools.yosys import synthesize_netlist
from tests.benches import run_bench
from tests.programs import convolutional, residual, small

TARGET = device("ecp5-25f")
ICE40, GOWIN = device("ice40up5k"), device("gw2a-18")

#: A block RAM of every form: words of 36 bits to those of 1, with their depths.
FORMS = ((36, 300), (18, 1000), (9, 2000), (4, 4000), (2, 8000), (1, 16000))
MEMORIES = """\
module memories (
  input logic clk_i, input logic rst_i, input logic step_i, input logic [35:0] word_i,
  output logic [{last}:0] data_o
);
{instances}
endmodule
"""
RAM = """\
module ram #(parameter int unsigned Width = 8, parameter int unsigned Depth = 512) (
  input logic clk_i, input logic rst_i, input logic write_i, input logic [Width-1:0] word_i,
  output logic [Width-1:0] data_o
);
  (* ram_style = "block", no_rw_check *) logic [Width-1:0] mem [Depth];
  logic [$clog2(Depth)-1:0] written, read;
  always_ff @(posedge clk_i) if (write_i) mem[written] <= word_i;
  always_ff @(posedge clk_i) data_o <= mem[read];
  // Reads lag behind writes by three words, and what is read before the first round is what it was.
  always_ff @(posedge clk_i) begin
    if (rst_i) written <= '0;
    else if (write_i) written <= (int'(written) == int'(Depth - 1)) ? '0 : written + 1'b1;
    if (rst_i) read <= $clog2(Depth)'(Depth - 3);
    else if (write_i) read <= (int'(read) == int'(Depth - 1)) ? '0 : read + 1'b1;
  end
endmodule
"""
BENCH = """\
module bench;
  logic clk, rst, step;
  logic [35:0] word;
  logic [{last}:0] sources, netlist;
  int unsigned cycle;
  memories_sources u_sources (
    .clk_i(clk), .rst_i(rst), .step_i(step), .word_i(word), .data_o(sources)
  );
  memories u_netlist (.clk_i(clk), .rst_i(rst), .step_i(step), .word_i(word), .data_o(netlist));
  always_ff @(posedge clk) begin
    cycle <= cycle + 1;
    step  <= $urandom_range(7) != 0;
    word  <= {{4'($urandom), $urandom}};
    if (cycle > 20 && sources != netlist) $fatal(1, "cycle %0d: %h, netlist %h", cycle, sources,
                                                netlist);
  end
  initial begin
    clk = 1'b0;
    rst = 1'b1;
    step = 1'b0;
    repeat (10) #5 clk = !clk;
    rst = 1'b0;
    repeat (80000) #5 clk = !clk;
    $display("PASSED");
    $finish;
  end
endmodule
"""


def bundle(made: Program, folder: Path, interval: int | None, target: Device = TARGET) -> Bundle:
    found = (
        best_throughput(made, target) if interval is None else least_area(made, target, interval)
    )
    return emit(dataflow(made, target, found.folds), folder)


@pytest.mark.parametrize(
    ("made", "interval", "shape", "target"),
    [
        (small(), 10_000, (6, 12, 2), TARGET),
        (convolutional(), 2_000, (8, 8, 2), TARGET),
        (residual(), None, (6, 9, 2), TARGET),
        (small(), None, (6, 12, 2), ICE40),
        (residual(), None, (6, 9, 2), ICE40),
        (small(), None, (6, 12, 2), GOWIN),
    ],
    ids=["small", "convolutional", "residual", "small-ice40", "residual-ice40", "small-gowin"],
)
def test_a_netlist_gives_the_bits_and_cycles_of_its_sources(
    made: Program,
    interval: int | None,
    shape: tuple[int, ...],
    target: Device,
    tmp_path: Path,
    runtime: Path,
) -> None:
    netlist = gate_level(bundle(made, tmp_path / "bundle", interval, target), tmp_path / "gates")
    frames = np.random.default_rng(0).integers(0, 256, (4, *shape))
    for stalls in (None, Stalls(0.3, 0.4)):
        run = simulate(
            netlist, frames, stalls=stalls, runtime=runtime, optimize="-O0", progress=False
        )
        assert (run.bit_mismatches, run.cycle_mismatches) == (0, 0)


def test_a_wrong_cell_is_found(tmp_path: Path, runtime: Path) -> None:
    netlist = gate_level(bundle(small(), tmp_path / "bundle", 10_000), tmp_path / "gates")
    text = (tmp_path / "gates" / "netlist.v").read_text()
    broken = re.sub(r"\.A17\([^)]*\)", ".A17(1'h1)", text, count=1)
    assert broken != text
    (tmp_path / "gates" / "netlist.v").write_text(broken)
    frames = np.random.default_rng(0).integers(0, 256, (2, 6, 12, 2))
    with pytest.raises(VerificationError, match="image 0: the netlist's output differs from the"):
        simulate(netlist, frames, runtime=runtime, optimize="-O0", progress=False)


def test_a_family_without_models_is_refused(tmp_path: Path) -> None:
    made, target = small(), device("xc7a100t")
    design = dataflow(made, target, least_area(made, target, 10_000).folds)
    with pytest.raises(ToolError) as error:
        gate_level(emit(design, tmp_path / "bundle"), tmp_path / "gates")
    assert str(error.value) == (
        "a netlist must be of a family whose cells have models to be simulated, not series7"
    )


@pytest.mark.parametrize("family", ["ecp5", "gowin"])
def test_our_block_ram_gives_what_its_sources_give_in_every_form(
    tmp_path: Path, runtime: Path, family: str
) -> None:
    random = np.random.default_rng(0)
    instances, low = [], 0
    for index, (width, depth) in enumerate(FORMS):
        image = Image.of("File", random.integers(0, 2, (depth, width)), 1)
        assert image.memory.block
        (tmp_path / f"rom{index}_0.hex").write_text("".join(image.texts()))
        rom = (
            f'cyclic_rom #(.Width({width}), .Depth({depth}), .BlockRam(1), .InitFile("rom{index}"))'
        )
        ram = f"ram #(.Width({width}), .Depth({depth}))"
        for name, module, inputs in (
            ("rom", rom, ".step_i"),
            ("ram", ram, f".write_i(step_i), .word_i(word_i[{width - 1}:0])"),
        ):
            instances.append(
                f"  {module} u_{name}_{index} (\n    .clk_i, .rst_i, {inputs}, "
                f".data_o(data_o[{low} +: {width}])\n  );"
            )
            low += width
    top = MEMORIES.format(last=low - 1, instances="\n".join(instances))
    files = {
        "sliced_rom.sv": library.source("sliced_rom", family).read_text(),
        "cyclic_rom.sv": library.source("cyclic_rom", family).read_text(),
        "loop_counter.sv": library.source("loop_counter", family).read_text(),
        "ram.sv": RAM,
        "memories.sv": top,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    cells = synthesize_netlist(
        tmp_path,
        list(files),
        "memories",
        tmp_path / "netlist.json",
        log=tmp_path / "log",
        family=family,
        verilog=tmp_path / "netlist.v",
    )
    assert cells.bram == 2 * len(FORMS)
    (tmp_path / "memories.sv").write_text(
        top.replace("module memories ", "module memories_sources ")
    )
    (tmp_path / "bench.sv").write_text(BENCH.format(last=low - 1))
    models = cell_models(family)
    for name, text in models.items():
        (tmp_path / name).write_text(text)
    compiled = [name for name in models if not name.endswith(".vh")]
    sources = ["bench.sv", "netlist.v", *compiled, *files]
    found = run_bench(tmp_path, sources, "bench", tmp_path / "work", runtime, lint=False)
    assert found.returncode == 0, found.stdout
    assert "PASSED" in found.stdout


def test_a_cell_of_other_settings_stops_the_simulation(tmp_path: Path, runtime: Path) -> None:
    netlist = gate_level(bundle(small(), tmp_path / "bundle", None, GOWIN), tmp_path / "gates")
    text = (tmp_path / "gates" / "netlist.v").read_text()
    piped = text.replace(".READ_MODE(1'h0)", ".READ_MODE(1'h1)")
    assert piped != text
    (tmp_path / "gates" / "netlist.v").write_text(piped)
    frames = np.random.default_rng(0).integers(0, 256, (2, 6, 12, 2))
    with pytest.raises(ToolError, match="bench must end with status 0"):
        simulate(netlist, frames, runtime=runtime, optimize="-O0", progress=False)
