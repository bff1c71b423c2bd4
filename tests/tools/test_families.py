# SPDX-License-Identifier: Apache-2.0
"""A small network, proven and taken to a bitstream, for each family with a placer but ECP5."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.errors import InfeasibleError, ToolError
from intaglio.explore.folding import best_throughput, least_area
from intaglio.rtl.bundle import emit
from intaglio.tools.families import placer, toolchain
from intaglio.tools.families.gowin import constraints, free_pins
from intaglio.tools.simulation import simulate
from intaglio.tools.synthesis import load_synthesis, synthesize_sources
from intaglio.tools.verilator import Stalls
from tests.programs import convolutional, small

#: What nextpnr may add to the cells Yosys gives, in carry chains.
ADDED = 0.05


@pytest.mark.parametrize(
    ("name", "beginning", "available"),
    [
        (
            "gw2a-18",
            b"1111111111111111\n1010010111000011\n",
            {"LUT4": "lut", "DFF": "ff", "MULT9X9": "dsp", "BSRAM": "bram"},
        ),
        (
            "ice40up5k",
            bytes.fromhex("ff0000ff7eaa997e"),
            {"ICESTORM_LC": "lut", "ICESTORM_DSP": "dsp", "ICESTORM_RAM": "bram", "SB_IO": "pins"},
        ),
    ],
)
def test_a_small_network_to_its_bitstream(
    name: str, beginning: bytes, available: dict[str, str], tmp_path: Path, runtime: Path
) -> None:
    target, made = device(name), small()
    design = dataflow(made, target, least_area(made, target, 10_000).folds)
    bundle = emit(design, tmp_path / "bundle")
    frames = np.random.default_rng(0).integers(0, 256, (3, 6, 12, 2))
    simulate(bundle, frames, runtime=runtime, optimize="-O0", progress=False)
    out = tmp_path / "out"
    found = synthesize_sources(
        bundle.folder, bundle.sources, bundle.top, target, out, progress=False
    )
    assert load_synthesis(out) == found
    assert beginning in (out / found.bitstream).read_bytes()[:200]
    placed, cells, wanted = found.placed, found.cells, design.resources
    assert placed.dsp == cells.dsp == wanted.dsp > 0
    assert placed.bram == cells.bram == wanted.bram
    assert placed.ff == cells.ff
    assert abs(placed.lut - cells.lut) <= ADDED * placed.lut
    assert placed.fmax_mhz > 20
    log = (out / "synthesis.log").read_text()
    for cell, kind in available.items():
        assert {int(n) for n in re.findall(rf"{cell}:\s+\d+/\s*(\d+)", log)} == {
            getattr(target, kind)
        }


def test_the_leaves_of_a_family_keep_bits_and_cycles(tmp_path: Path, runtime: Path) -> None:
    """Bursts into FIFOs of block RAM, and products of several widths."""
    target, made = device("ice40up5k"), convolutional()
    design = dataflow(made, target, best_throughput(made, target).folds)
    bundle = emit(design, tmp_path / "bundle")
    frames = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 2))
    for stalls in (None, Stalls(0.3, 0.4)):
        run = simulate(
            bundle, frames, stalls=stalls, runtime=runtime, optimize="-O0", progress=False
        )
        assert (run.bit_mismatches, run.cycle_mismatches) == (0, 0)


def test_the_pins_of_a_package_are_located_the_clock_first() -> None:
    target = device("gw2a-18")
    pins = free_pins(target)
    assert len(pins) == len(set(pins)) == target.pins
    assert pins[0] == target.clock_pin
    assert constraints(["aclk", "d[0]"], pins[:3]) == 'IO_LOC "aclk" 4;\nIO_LOC "d[0]" 10;\n'


def test_ports_beyond_the_pins_are_told(tmp_path: Path) -> None:
    target = device("gw2a-18")
    port = f'{{"modules": {{"top": {{"ports": {{"d": {{"bits": {list(range(60))}}}}}}}}}}}'
    (tmp_path / "netlist.json").write_text(port)
    with pytest.raises(InfeasibleError) as error:
        placer("gowin").arguments(target, tmp_path)
    assert str(error.value) == (
        "a design must fit gw2a-18, not need pins 60 of 49 "
        "(11 too many: narrower streams at the top)"
    )


def test_a_part_of_another_family_is_refused(tmp_path: Path) -> None:
    other = device("ecp5-25f")
    with pytest.raises(ToolError, match="must be a GW2A-18C one, not LFE5U-25F"):
        free_pins(other)
    with pytest.raises(ToolError, match="must be iCE40UP5K, not LFE5U-25F"):
        placer("ice40").arguments(other, tmp_path)


@pytest.mark.parametrize("family", ["ecp5", "gowin", "ice40", "series7", "ultrascale"])
def test_every_family_has_tools(family: str) -> None:
    assert toolchain(family).family == family
