# SPDX-License-Identifier: Apache-2.0
"""Netlists of ECP5 cells: what is counted, and which carry outputs are opened."""

from __future__ import annotations

from typing import Any

from intaglio.tools.netlist import count_cells, open_unread_carries


def carry(carry_in: object, carry_out: object, table: int = 0x96AA) -> dict[str, Any]:
    return {
        "type": "CCU2C",
        "parameters": {"INIT0": f"{table:016b}"},
        "port_directions": {"CIN": "input", "D0": "input", "COUT": "output"},
        "connections": {"CIN": [carry_in], "D0": ["1"], "COUT": [carry_out]},
    }


def cell(kind: str, **inputs: object) -> dict[str, Any]:
    directions = dict.fromkeys(inputs, "input")
    connections = {port: [bit] for port, bit in inputs.items()}
    return {"type": kind, "port_directions": directions, "connections": connections}


def module(*cells: dict[str, Any], outputs: tuple[int, ...] = ()) -> dict[str, Any]:
    ports = {"q": {"direction": "output", "bits": list(outputs)}}
    return {"ports": ports, "cells": {f"c{i}": c for i, c in enumerate(cells)}}


def test_cells_are_counted_by_kind() -> None:
    kinds = ["LUT4"] * 3 + ["TRELLIS_FF"] * 4 + ["MULT18X18D"] * 2 + ["DP16KD", "PFUMX"]
    cells = count_cells(module(*(cell(kind) for kind in kinds)))
    assert (cells.lut, cells.ff, cells.dsp, cells.bram) == (3 + 1, 4, 2, 1)
    assert cells.counts["PFUMX"] == 1


def test_a_distributed_ram_is_six_luts() -> None:
    assert count_cells(module(cell("TRELLIS_DPR16X4"))).lut == 6 + 1


def test_a_chain_pays_for_its_carry_in_and_for_every_carry_that_leaves_it() -> None:
    within = module(carry("0", 2), carry(2, "x"))
    assert count_cells(within).lut == 2 * (2 + 1) + 2
    at_the_end = module(carry("0", 2), carry(2, 3), outputs=(3,))
    assert count_cells(at_the_end).lut == 2 * (2 + 2) + 2
    on_the_way = module(carry("0", 2), carry(2, "x"), cell("LUT4", A=2))
    assert count_cells(on_the_way).lut == 1 + 2 * (2 + 2) + 2


def test_a_carry_nobody_reads_is_opened_and_costs_nothing_any_more() -> None:
    unread = module(carry("0", 2), carry(2, 3))
    assert count_cells(unread).lut == 2 * (2 + 2) + 2
    assert open_unread_carries(unread) == 1
    assert unread["cells"]["c0"]["connections"]["COUT"] == [2]
    assert unread["cells"]["c1"]["connections"]["COUT"] == ["x"]
    assert count_cells(unread).lut == 2 * (2 + 1) + 2
    assert open_unread_carries(unread) == 0


def test_a_carry_that_is_read_stays() -> None:
    assert open_unread_carries(module(carry("0", 2), outputs=(2,))) == 0
    assert open_unread_carries(module(carry("0", 2), cell("TRELLIS_FF", DI=2))) == 0


def test_a_carry_into_a_chain_that_starts_itself_is_opened() -> None:
    starts = module(carry("0", 2, table=0x000F), carry(2, "x"))
    assert count_cells(starts).lut == 2 * (2 + 1) + 2
    assert open_unread_carries(starts) == 1
    assert starts["cells"]["c0"]["connections"]["CIN"] == ["x"]
    assert count_cells(starts).lut == 2 * 2 + 2
    assert open_unread_carries(starts) == 0
    led_in = module(carry(7, 2, table=0x000F), outputs=(2,))
    assert open_unread_carries(led_in) == 0
    passed = module(carry("0", 2, table=0x0F0F), outputs=(2,))
    passed["cells"]["c0"]["connections"]["D0"] = [5]
    assert open_unread_carries(passed) == 0
