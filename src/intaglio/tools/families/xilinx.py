# SPDX-License-Identifier: Apache-2.0
"""AMD series 7 and UltraScale+: what Yosys makes of a design; `vivado` writes a project for it."""

from __future__ import annotations

from collections import Counter

from intaglio.tools.netlist import Cells
from intaglio.tools.toolchain import Module, Toolchain, unchanged

#: LUTs of a cell that is made of some. Source: AMD UG474 and UG574, distributed RAM and shift
#: registers; UG953 and UG974, RAM32M, RAM64M, RAM32M16 and RAM64M8.
_LUTS = {
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "SRL16E": 1,
    "SRLC32E": 1,
}


def count_xilinx(module: Module) -> Cells:
    """Count the cells of a module of AMD cells; a 36-Kbit block RAM is two of 18 Kbit.

    An estimate: Vivado merges tables in pairs, and inverters into what reads them.
    """
    counts = Counter(cell["type"] for cell in module["cells"].values())
    tables = sum(counts[f"LUT{n}"] for n in range(1, 7))
    return Cells(
        lut=tables + sum(luts * counts[kind] for kind, luts in _LUTS.items()),
        ff=sum(counts[kind] for kind in ("FDRE", "FDSE", "FDCE", "FDPE")),
        dsp=counts["DSP48E1"] + counts["DSP48E2"],
        bram=counts["RAMB18E1"]
        + counts["RAMB18E2"]
        + 2 * (counts["RAMB36E1"] + counts["RAMB36E2"]),
        counts=dict(sorted(counts.items())),
    )


def _toolchain(family: str, yosys: str) -> Toolchain:
    options = ("-flatten", "-noiopad", "-noclkbuf", "-top", "TOP")
    return Toolchain(
        family=family,
        declarations=(),
        boxes=(),
        commands=(("synth_xilinx", "-family", yosys, *options),),
        count=count_xilinx,
        finish=unchanged,
        placer=None,
    )


SERIES_7 = _toolchain("series7", "xc7")
ULTRA = _toolchain("ultrascale", "xcup")
