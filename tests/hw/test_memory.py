# SPDX-License-Identifier: Apache-2.0
"""What memories are said to take, against what Yosys makes of the modules that hold them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from intaglio.devices import device
from intaglio.devices.family import family
from intaglio.hw import library
from intaglio.hw.cost import Resources
from intaglio.hw.memory import (
    DISTRIBUTED_DEPTH,
    GEOMETRIES,
    LUTS_PER_BLOCK,
    distributed_luts,
    ram,
    rom,
    slice_width,
)
from intaglio.hw.unit import Image
from intaglio.tools.yosys import synthesize_netlist

#: Width and depth: one block, several side by side, narrow and deep, and what stays in LUTs.
ROMS = ((36, 512), (37, 300), (200, 144), (18, 1000), (9, 2000), (7, 3000), (32, 16), (24, 6))
#: Width and address width of memories read at any address.
TABLES = ((8, 8), (9, 11), (7, 12), (5, 5))
#: Of simple dual-port memories, with and without an output register.
RAMS = ((36, 512), (75, 300), (9, 1500), (6, 3000), (24, 16))
FIFOS = ((8, 16), (13, 16), (9, 32))

TARGET = device("ecp5-25f")

TOP = """\
module top (
  input  logic clk_i,
  input  logic rst_i,
  input  logic step_i,
  input  logic [15:0] addr_i,
  output logic [{last}:0] data_o
);
{instances}
endmodule
"""


def test_roms_take_the_blocks_and_luts_that_are_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    instances, low = [], 0
    for index, (width, depth) in enumerate(ROMS):
        image = Image.of("File", random.integers(0, 2, (depth, width)), 1)
        for number, text in enumerate(image.texts()):
            (tmp_path / f"rom{index}_{number}.hex").write_text(text)
        instances.append(
            f"  cyclic_rom #(.Width({width}), .Depth({depth}), .InitFile("
            f'"rom{index}"), .BlockRam({int(image.memory.block)})) u_{index} (\n'
            f"    .clk_i, .rst_i, .step_i, .data_o(data_o[{low} +: {width}])\n  );"
        )
        low += width
    found = synthesized(tmp_path, ("sliced_rom", "cyclic_rom", "loop_counter"), instances, low)
    for index, (width, depth) in enumerate(ROMS):
        wanted, cells = rom(width, depth), found[index]
        luts = wanted.on(TARGET).lut
        assert cells["DP16KD"] == wanted.on(TARGET).bram, (width, depth)
        assert wanted.block == (cells["DP16KD"] > 0)
        if not wanted.block:  # beside the memory there is only its address counter
            assert abs(cells["LUT4"] - luts) <= 0.25 * luts + 16


def test_tables_take_the_blocks_and_luts_that_are_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    instances, low = [], 0
    for index, (width, bits) in enumerate(TABLES):
        image = Image.of("File", random.integers(0, 2, (1 << bits, width)), 1)
        for number, text in enumerate(image.texts()):
            (tmp_path / f"rom{index}_{number}.hex").write_text(text)
        instances.append(
            f"  sliced_rom #(.Width({width}), .Depth({1 << bits}), .InitFile("
            f'"rom{index}"), .BlockRam({int(image.memory.block)})) u_{index} (\n'
            f"    .clk_i, .addr_i(addr_i[{bits - 1}:0]), .data_o(data_o[{low} +: {width}])\n  );"
        )
        low += width
    found = synthesized(tmp_path, ("sliced_rom",), instances, low)
    for index, (width, bits) in enumerate(TABLES):
        wanted, cells = rom(width, 1 << bits), found[index]
        assert cells["DP16KD"] == wanted.on(TARGET).bram, (width, bits)
        assert wanted.block == (cells["DP16KD"] > 0)
        if not wanted.block:
            assert abs(cells["LUT4"] - wanted.on(TARGET).lut) <= 0.25 * wanted.on(TARGET).lut + 16


@pytest.mark.parametrize("registered", [False, True], ids=["direct", "registered"])
def test_rams_take_the_blocks_and_luts_that_are_counted(tmp_path: Path, registered: bool) -> None:
    instances, low = [], 0
    for index, (width, depth) in enumerate(RAMS):
        bits = (depth - 1).bit_length()
        instances.append(
            f"  sliced_ram #(.Width({width}), .Depth({depth}), .OutRegister({int(registered)}),\n"
            f"    .BlockRam({int(ram(width, depth).block)})) u_{index} (\n"
            f"    .clk_i, .write_i(step_i), .write_addr_i(addr_i[{bits - 1}:0]),\n"
            f"    .data_i({width}'({{10{{addr_i}}}})), .read_addr_i(~addr_i[{bits - 1}:0]),\n"
            f"    .data_o(data_o[{low} +: {width}])\n  );"
        )
        low += width
    found = synthesized(tmp_path, ("sliced_ram",), instances, low)
    for index, (width, depth) in enumerate(RAMS):
        wanted, cells = ram(width, depth), found[index]
        assert cells["DP16KD"] == wanted.on(TARGET).bram, (width, depth)
        assert 6 * cells["TRELLIS_DPR16X4"] == wanted.on(TARGET).lut
        assert cells["TRELLIS_FF"] <= wanted.on(TARGET).ff


def test_fifos_take_the_distributed_ram_that_is_counted(tmp_path: Path) -> None:
    instances, low = [], 0
    for index, (width, depth) in enumerate(FIFOS):
        instances.append(
            f"  stream_fifo #(.Width({width}), .Depth({depth})) u_{index} (\n"
            f"    .clk_i, .rst_i, .space_o(), .reserve_i(step_i), .write_i(step_i),\n"
            f"    .valid_o(), .ready_i(step_i), .data_o(data_o[{low} +: {width}]),\n"
            f"    .data_i({width}'(data_o[{low} +: {width}] + 1'b1))\n  );"
        )
        low += width
    found = synthesized(tmp_path, ("stream_fifo",), instances, low)
    for index, (width, depth) in enumerate(FIFOS):
        ram16 = 6 * found[index]["TRELLIS_DPR16X4"]
        banks = -(-depth // 16)
        assert ram16 == distributed_luts(width, depth, family("ecp5")) - (
            width + 2 if banks > 1 else 0
        )


def synthesized(
    folder: Path, blocks: Sequence[str], instances: Sequence[str], bits: int
) -> Mapping[int, Counter[str]]:
    """Synthesize instances `u_0`, `u_1` ... in one top level; return the cells of each."""
    for block in blocks:
        (folder / f"{block}.sv").write_text(library.source(block, "ecp5").read_text())
    (folder / "top.sv").write_text(TOP.format(last=bits - 1, instances="\n".join(instances)))
    sources = [f"{block}.sv" for block in (*blocks, "top")]
    netlist = folder / "netlist.json"
    synthesize_netlist(folder, sources, "top", netlist, log=folder / "yosys.log")
    cells: dict[int, Counter[str]] = {index: Counter() for index in range(len(instances))}
    for name, cell in json.loads(netlist.read_text())["modules"]["top"]["cells"].items():
        for index, counts in cells.items():
            if name.startswith(f"u_{index}."):
                counts[cell["type"]] += 1
    return cells


@pytest.mark.parametrize(("width", "most"), GEOMETRIES)
def test_a_slice_is_as_wide_as_one_block_at_its_depth(width: int, most: int) -> None:
    assert slice_width(most) == width
    assert slice_width(2 * most) < width or width == 1
    assert rom(width, most).on(TARGET).bram <= 1


def test_a_memory_goes_to_blocks_when_that_saves_enough_luts() -> None:
    small, large = rom(8, 16), rom(8, 4096)
    assert not small.block
    assert small.on(TARGET).bram == 0
    assert large.block
    assert large.on(TARGET).lut == 0
    assert large.on(TARGET).bram == 2
    assert not ram(8, DISTRIBUTED_DEPTH).block
    assert ram(8, DISTRIBUTED_DEPTH + 1).block
    for width in (1, 8, 40, 100):
        for depth in (2, 30, 200, 600):
            memory = rom(width, depth)
            cells = memory.on(TARGET)
            blocks = cells.bram
            assert memory.block or cells.lut <= -(-width // 36) * LUTS_PER_BLOCK * 2
            assert memory.slice_width <= width
            assert memory.block == (blocks > 0)


def test_a_rom_of_one_word_is_wires() -> None:
    assert rom(40, 1).on(TARGET) == Resources()
