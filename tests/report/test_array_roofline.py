# SPDX-License-Identifier: Apache-2.0
"""The roofline of an array: every beat belongs to a layer, and nothing is above its roof in all."""

from __future__ import annotations

from pathlib import Path

from intaglio.arch.systolic.array import Array
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.instructions import Load, Store
from intaglio.devices import device
from intaglio.report.array_roofline import moved_beats, roofline_spots, save_roofline
from tests.arch.systolic.test_layers import small


def design() -> ArrayDesign:
    return ArrayDesign.of(small().program(), device("ecp5-25f"), Array(3, 2))


def test_every_beat_belongs_to_a_layer() -> None:
    made = design()
    beats = moved_beats(made)
    moving = [item for item in made.schedule.order if isinstance(item, Load | Store)]
    assert len(beats) == len(made.network.layers)
    assert min(beats) > 0
    assert sum(beats) == sum(item.beats for item in moving)


def test_the_whole_network_is_under_its_roof() -> None:
    layers, whole = roofline_spots(design())
    assert [spot.label for spot in layers] == ["1", "2"]
    assert 0 < whole.reached <= whole.roof <= 6
    assert whole.intensity == whole.with_weights > 0


def test_the_picture_is_written(tmp_path: Path) -> None:
    save_roofline(tmp_path / "roof.png", design())
    assert (tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")
