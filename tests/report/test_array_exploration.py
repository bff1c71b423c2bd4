# SPDX-License-Identifier: Apache-2.0
"""What a search for an array says and writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from intaglio.devices import device
from intaglio.errors import IntaglioError
from intaglio.explore.array import best_array
from intaglio.explore.array_candidates import ArrayExploration, Space
from intaglio.report.array_exploration import (
    exploration_document,
    exploration_text,
    save_array_front,
    save_heat_map,
)
from tests.programs import small

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def found() -> ArrayExploration:
    return best_array(small(), replace(device("ecp5-25f"), dsp=9), Space(mixed=False), front=True)


def test_a_table_names_the_best_and_what_comes_next(found: ArrayExploration) -> None:
    lines = exploration_text(found).splitlines()
    array = found.best.array
    assert lines[0].startswith(f"{array.rows} x {array.columns} cells, ")
    assert any(line.startswith(f"act_rows {array.act_rows:,}, weight_words ") for line in lines)
    at = next(n for n, line in enumerate(lines) if "next best" in line)
    shown = [line.split()[3] for line in lines[at + 1 : -2]]
    assert shown == [one.dataflow for one in found.runners_up]
    assert lines[-2] == (
        f"proven best: {found.evaluated:,} arrays predicted, {found.bounded:,} left out by bounds"
    )
    assert lines[-1].startswith(f"front: {len(found.front):,} arrays of which none is as good as ")


def test_a_document_holds_the_front(found: ArrayExploration) -> None:
    document = exploration_document(found)
    assert document["cycles"] == document["front"][0]["cycles"]
    assert [one["cycles"] for one in document["runners_up"]] == [
        one.cycles for one in found.runners_up
    ]


def test_a_front_is_written_as_table_or_picture(found: ArrayExploration, tmp_path: Path) -> None:
    save_array_front(tmp_path / "front.csv", found)
    lines = (tmp_path / "front.csv").read_text().splitlines()
    assert lines[0].startswith("rows,columns,dataflow,cycles,multipliers,bram,traffic_bits,")
    assert len(lines) == 1 + len(found.front)
    save_array_front(tmp_path / "front.png", found)
    assert (tmp_path / "front.png").read_bytes().startswith(PNG)
    with pytest.raises(IntaglioError, match="must end in"):
        save_array_front(tmp_path / "front.txt", found)


def test_a_heat_map_is_a_picture(found: ArrayExploration, tmp_path: Path) -> None:
    save_heat_map(tmp_path / "map.png", found)
    assert (tmp_path / "map.png").read_bytes().startswith(PNG)
