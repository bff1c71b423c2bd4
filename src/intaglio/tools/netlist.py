# SPDX-License-Identifier: Apache-2.0
"""A netlist of ECP5 cells in Yosys' JSON form: what it holds, and carry outputs nobody reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Connected to nothing, in the JSON form.
_OPEN = "x"


@dataclass(frozen=True)
class Cells:
    """Cells of a netlist. `counts` has them by the vendor's names.

    `lut` counts as nextpnr does once it has packed: a LUT4 is one, a CCU2C two, the carry in and
    out of a chain two each, a distributed RAM four, each constant one.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    counts: Mapping[str, int] = field(hash=False)


def open_unread_carries(module: Mapping[str, Any]) -> int:
    """Disconnect every carry output that nothing reads; return how many there were.

    nextpnr leads a connected carry output out of its chain through two LUTs, read or not.
    """
    chain, fabric = _readers(module)
    unread = [c for c in _carries(module) if _carry_out(c) not in {_OPEN, *()} | chain | fabric]
    for cell in unread:
        cell["connections"]["COUT"] = [_OPEN]
    return len(unread)


def count_cells(module: Mapping[str, Any]) -> Cells:
    """Count the cells of a module of ECP5 cells."""
    counts = Counter(cell["type"] for cell in module["cells"].values())
    carries = 2 * (counts["CCU2C"] + _chain_ends(module))
    return Cells(
        lut=counts["LUT4"] + carries + 4 * counts["TRELLIS_DPR16X4"] + _constants(module),
        ff=counts["TRELLIS_FF"],
        dsp=counts["MULT18X18D"],
        bram=counts["DP16KD"],
        counts=dict(sorted(counts.items())),
    )


def _chain_ends(module: Mapping[str, Any]) -> int:
    """Count the cells nextpnr adds to lead carries into and out of chains.

    Source: netlists before and after packing by nextpnr-ecp5 0.11.1 compared.
    """
    chain, fabric = _readers(module)
    driven = {_carry_out(cell) for cell in _carries(module)} - {_OPEN}
    entries = sum(_carry_in(c) not in driven | {_OPEN} for c in _carries(module))
    exits = sum(bit in fabric or bit not in chain for bit in driven)
    return entries + exits
