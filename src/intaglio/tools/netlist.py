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

    The other numbers are those a Device has of each kind: for ECP5 see `count_cells`, for other
    families their file in `families`.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    counts: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True)
class _CarryNets:
    """The nets carry cells drive and read: `chain` is read by carry inputs, `fabric` elsewhere."""

    driven: frozenset[int]
    chain: frozenset[int]
    fabric: frozenset[int]


def open_unread_carries(module: Mapping[str, Any]) -> int:
    """Disconnect every carry output and every constant carry input that nothing reads.

    Returns how many there were. nextpnr leads a connected carry out of its chain, or into it,
    through two LUTs, read or not.
    """
    nets = _carry_nets(module)
    unread = nets.driven - nets.chain - nets.fabric
    inputs = 0
    for cell in _carries(module):
        pins = cell["connections"]
        if pins["COUT"][0] in unread:
            pins["COUT"] = [_OPEN]
        if isinstance(pins["CIN"][0], str) and pins["CIN"] != [_OPEN] and _starts_itself(cell):
            pins["CIN"] = [_OPEN]
            inputs += 1
    return len(unread) + inputs


def _starts_itself(cell: Mapping[str, Any]) -> bool:
    """Tell whether the first half says 0 whatever it reads: then no carry passes through it."""
    table = int(cell["parameters"]["INIT0"], 2)
    return cell["connections"]["D0"] == ["1"] and table >> 8 == 0


def count_cells(module: Mapping[str, Any]) -> Cells:
    """Count the cells of a module of ECP5 cells.

    `lut` counts what nextpnr-ecp5 0.11.1 places: a LUT4 is one, a CCU2C two, leading a carry into
    or out of a chain two, a distributed RAM six, the constants low and high one each.
    """
    counts = Counter(cell["type"] for cell in module["cells"].values())
    carries = counts["CCU2C"] + _chain_ends(module)
    constants = 2 if carries else 1
    return Cells(
        lut=counts["LUT4"] + 6 * counts["TRELLIS_DPR16X4"] + 2 * carries + constants,
        ff=counts["TRELLIS_FF"],
        dsp=counts["MULT18X18D"],
        bram=counts["DP16KD"],
        counts=dict(sorted(counts.items())),
    )


def _chain_ends(module: Mapping[str, Any]) -> int:
    """Count the cells nextpnr adds to lead carries into and out of chains.

    Source: netlists before and after packing by nextpnr-ecp5 0.11.1, compared.
    """
    nets = _carry_nets(module)
    inputs = [cell["connections"]["CIN"][0] for cell in _carries(module)]
    entries = sum(bit != _OPEN and bit not in nets.driven for bit in inputs)
    exits = len(nets.driven & nets.fabric) + len(nets.driven - nets.fabric - nets.chain)
    return entries + exits


def _carries(module: Mapping[str, Any]) -> Iterator[Any]:
    return (cell for cell in module["cells"].values() if cell["type"] == "CCU2C")


def _carry_nets(module: Mapping[str, Any]) -> _CarryNets:
    driven = {cell["connections"]["COUT"][0] for cell in _carries(module)} - {_OPEN}
    chain: set[int] = set()
    fabric = {bit for port in module["ports"].values() for bit in port["bits"]}
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                is_carry = cell["type"] == "CCU2C" and port == "CIN"
                (chain if is_carry else fabric).update(bits)
    return _CarryNets(frozenset(driven), frozenset(chain), frozenset(fabric))
