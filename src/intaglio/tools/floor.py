# SPDX-License-Identifier: Apache-2.0
"""Where on a device's floor the cells of a placed design are, as nextpnr writes it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from intaglio.artifact import write_json

#: Where a result keeps its floor.
FLOOR = "floor.json"
SCHEMA = 1
#: What all families call a place: column, row, then what stands there.
_PLACE = re.compile(r"X(\d+)/?Y(\d+)/([A-Z]*)")


@dataclass(frozen=True, order=True)
class Tile:
    """How many cells of a kind are used in one tile; columns from the left, rows from the top."""

    x: int
    y: int
    kind: str
    count: int


def occupied(
    placed: Mapping[str, Any],
    kinds: Mapping[str, tuple[str, int]],
    places: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Tile, ...]:
    """Return the tiles that a placed design uses.

    Args:
        placed: what nextpnr writes of it.
        kinds: the family's cells, as in `Placer`.
        places: those known by the place they are at, as there; others are left out.
    """
    found: Counter[tuple[int, int, str]] = Counter()
    for module in placed["modules"].values():
        for cell in module["cells"].values():
            place = _PLACE.match(cell.get("attributes", {}).get("NEXTPNR_BEL", ""))
            if not place:
                continue
            kind, weight = kinds.get(cell["type"], (places.get(place[3], ""), 1))
            if kind:
                found[int(place[1]), int(place[2]), kind] += weight
    return tuple(sorted(Tile(*tile, count) for tile, count in found.items()))


def write_floor(path: Path, tiles: Sequence[Tile]) -> None:
    """Write tiles to a file."""
    write_json(path, {"schema": SCHEMA, "tiles": [astuple(tile) for tile in tiles]})


def read_floor(path: Path) -> tuple[Tile, ...]:
    """Read tiles from a file; one that is missing or damaged holds none."""
    try:
        document = json.loads(path.read_bytes())
        return tuple(Tile(*row) for row in document["tiles"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ()
