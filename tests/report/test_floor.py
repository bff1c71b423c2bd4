# SPDX-License-Identifier: Apache-2.0
"""The map of a placed design's cells."""

from __future__ import annotations

from dataclasses import replace

from intaglio.report.floor import CELL, MOST, floor_section
from intaglio.tools.floor import Tile
from tests.report.pages import Page, synthesis
from tests.report.test_facts import NOTHING

TILES = (
    Tile(0, 0, "pins", 2),
    Tile(2, 1, "ff", 4),
    Tile(2, 1, "lut", 8),
    Tile(3, 1, "lut", 3),
    Tile(4, 2, "dsp", 1),
    Tile(5, 2, "bram", 1),
)


def page(*tiles: Tile) -> Page:
    section = floor_section(replace(NOTHING, synthesis=replace(synthesis(), floor=tiles)))
    assert section is not None
    return Page(section.body)


def test_a_result_that_does_not_say_where_its_cells_are_has_no_map() -> None:
    assert floor_section(NOTHING) is None
    without = replace(synthesis(), floor=())
    assert floor_section(replace(NOTHING, synthesis=without)) is None


def test_squares_stand_where_cells_are_and_are_as_dark_as_they_are_full() -> None:
    found = page(*TILES)
    legend = 10  # pixels of a square of the legend
    for color, wanted in {
        "fill": [(2 * CELL, None), (3 * CELL, "0.250")],
        "alarm": [(4 * CELL + 2.5, None)],
        "head": [(5 * CELL + 2.5, None)],
    }.items():
        squares = [
            box
            for box in found.named("rect")
            if box["class"] == color and float(box["width"]) != legend
        ]
        assert [(float(box["x"]), box.get("fill-opacity")) for box in squares] == wanted
    assert "8 lut, 4 ff" in found.texts["title"]
    assert "a square is a tile" in found.texts["p"][0]
    assert "4 tiles of 18 have cells in use" in found.texts["p"][0]
    assert found.named("svg")[0]["aria-label"] == "Floor of 6 by 3 tiles, 4 in use"


def test_tiles_of_a_large_floor_share_squares() -> None:
    far = Tile(2 * MOST - 1, 0, "lut", 8)
    found = page(Tile(0, 0, "lut", 3), Tile(1, 1, "lut", 1), far)
    assert "4 lut, 0 ff" in found.texts["title"]
    assert "a square is 2 x 2 tiles" in found.texts["p"][0]
