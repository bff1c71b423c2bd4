# SPDX-License-Identifier: Apache-2.0
"""Where on the device's floor the placed cells are: a map, the darker the more are used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from intaglio.report.facts import Facts
from intaglio.report.html import Html, Section, element, join, number
from intaglio.report.svg import box, drawing, words
from intaglio.tools.floor import Tile

#: Columns and rows drawn, at most; on a larger floor several tiles are one square.
MOST = 50
CELL = 12.0
_TOP = 24.0
#: What is drawn of a square: the kinds counted, the color, and how much of it is left free around.
_LAYERS = (
    (("lut", "ff"), "fill", 0.0, "LUTs and flip-flops"),
    (("bram",), "head", 2.5, "block RAMs"),
    (("dsp",), "alarm", 2.5, "multipliers"),
)


def floor_section(facts: Facts) -> Section | None:
    """Return the map; needs a synthesis that says where its cells are."""
    synthesis = facts.synthesis
    if synthesis is None or not synthesis.floor:
        return None
    tiles = synthesis.floor
    across, down = (1 + max(getattr(tile, axis) for tile in tiles) for axis in ("x", "y"))
    step = -(-max(across, down) // MOST)
    squares = _squares(tiles, step)
    width, height = CELL * -(-across // step), CELL * -(-down // step)
    parts = [box(0, _TOP, width, height, "track"), *_legend()]
    parts += [part for layer in _LAYERS for part in _layer(squares, *layer)]
    side = "a tile" if step == 1 else f"{step} x {step} tiles"
    used = number(len({(tile.x, tile.y) for tile in tiles if tile.kind != "pins"}))
    text = (
        f"The floor of {synthesis.device} as nextpnr placed the design, as far as it is used: a "
        f"square is {side}, as dark as the LUTs and flip-flops used in it, by the fullest; used "
        f"block RAMs and multipliers are marked. {used} tiles of {number(across * down)} have "
        "cells in use."
    )
    picture = drawing(
        max(width, 3 * _LEGEND),
        _TOP + height,
        parts,
        f"Floor of {across} by {down} tiles, {used} in use",
    )
    body = join([element("p", text), element("figure", picture)])
    return Section("floor", "Device floor", body)


#: Width of an entry of the legend.
_LEGEND = 150.0


def _legend() -> Iterator[Html]:
    for index, (_, color, _, name) in enumerate(_LAYERS):
        yield box(_LEGEND * index, 3, 10, 10, color)
        yield words(_LEGEND * index + 15, 12, name, "soft")


def _squares(tiles: Sequence[Tile], step: int) -> dict[tuple[int, int], Counter[str]]:
    """Count the cells of each square, by kind."""
    squares: dict[tuple[int, int], Counter[str]] = {}
    for tile in tiles:
        kinds = squares.setdefault((tile.x // step, tile.y // step), Counter())
        kinds[tile.kind] += tile.count
    return squares


def _layer(
    squares: dict[tuple[int, int], Counter[str]],
    kinds: Sequence[str],
    color: str,
    free: float,
    _: str,
) -> Iterator[Html]:
    counts = {at: sum(found[kind] for kind in kinds) for at, found in squares.items()}
    fullest = max(counts.values())
    for (x, y), count in sorted(counts.items()):
        if count:
            hint = ", ".join(f"{squares[x, y][kind]:,} {kind}" for kind in kinds)
            yield box(
                CELL * x + free,
                _TOP + CELL * y + free,
                CELL - 1 - 2 * free,
                CELL - 1 - 2 * free,
                color,
                hint=hint,
                shade=1 if free else count / fullest,
            )
