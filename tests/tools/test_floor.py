# SPDX-License-Identifier: Apache-2.0
"""Where cells are, from what nextpnr writes and back from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.tools.families import placer
from intaglio.tools.floor import Tile, occupied, read_floor, write_floor


def cell(type_: str, place: str) -> dict[str, object]:
    return {"type": type_, "attributes": {"NEXTPNR_BEL": place}}


@pytest.mark.parametrize("slash", ["/", ""])
def test_cells_are_counted_by_tile_and_kind(slash: str) -> None:
    cells = {
        "a": cell("TRELLIS_COMB", f"X12{slash}Y3/SLICEA.COMB0"),
        "b": cell("TRELLIS_COMB", f"X12{slash}Y3/SLICEB.COMB1"),
        "c": cell("TRELLIS_FF", f"X12{slash}Y3/SLICEA.FF0"),
        "d": cell("MULT18X18D", f"X4{slash}Y13/MULT18_0"),
        "e": cell("DCCA", f"X0{slash}Y0/DCC0"),
        "f": {"type": "TRELLIS_COMB", "attributes": {}},
        "g": {"type": "TRELLIS_COMB"},
    }
    found = occupied({"modules": {"top": {"cells": cells}}}, placer("ecp5").kinds)
    assert found == (Tile(4, 13, "dsp", 1), Tile(12, 3, "ff", 1), Tile(12, 3, "lut", 2))


def test_cells_with_many_names_are_known_by_their_place() -> None:
    cells = {
        "a": cell("DFFRE", "X2Y3/DFF5"),
        "b": cell("ALU", "X2Y3/ALU1"),
        "c": cell("LUT2", "X2Y3/LUT0"),
        "d": cell("DP", "X9Y1/BSRAM"),
        "e": cell("MULT18X18", "X7Y1/MULT18X180"),
        "f": cell("DUMMY_CELL", "X7Y1/MULT9X900"),
        "g": cell("OBUF", "X0Y4/IOBA"),
    }
    tools = placer("gowin")
    found = occupied({"modules": {"top": {"cells": cells}}}, tools.kinds, tools.places)
    assert found == (
        *(Tile(0, 4, "pins", 1), Tile(2, 3, "ff", 1), Tile(2, 3, "lut", 2)),
        *(Tile(7, 1, "dsp", 2), Tile(9, 1, "bram", 1)),
    )


def test_a_floor_is_read_as_it_was_written(tmp_path: Path) -> None:
    tiles = (Tile(1, 2, "lut", 3), Tile(4, 5, "bram", 1))
    write_floor(tmp_path / "floor.json", tiles)
    assert read_floor(tmp_path / "floor.json") == tiles


@pytest.mark.parametrize("text", ["", "{", "{}", '{"tiles": [[1]]}', '{"tiles": 3}'])
def test_a_floor_that_is_missing_or_damaged_is_empty(tmp_path: Path, text: str) -> None:
    assert read_floor(tmp_path / "none.json") == ()
    (tmp_path / "floor.json").write_text(text)
    assert read_floor(tmp_path / "floor.json") == ()
