# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from intaglio.arch.design import STEADY_FRAMES
from intaglio.report import occupancy
from intaglio.report.occupancy import occupancies, occupancy_section
from tests.report.pages import Page, design
from tests.report.test_facts import NOTHING


def page() -> Page:
    section = occupancy_section(replace(NOTHING, design=design()))
    assert section is not None
    return Page(section.body)


def test_every_unit_has_its_part_of_the_interval_and_its_buffers() -> None:
    made = design()
    peaks = made.timing(STEADY_FRAMES).peaks
    rows = occupancies(made)
    assert [row.instance for row in rows] == list(made.instances)
    for row in rows:
        name, unit = row.instance.name, row.instance.unit
        assert row.busy == unit.interval / made.cycles.interval <= 1
        assert [buffer.channel for buffer in row.inside] == list(unit.internal)
        for buffer in (*row.inside, *row.outputs):
            assert buffer.peak == peaks[f"{name}.{buffer.channel}"]
            assert 0 < buffer.peak <= buffer.room == made.room(f"{name}.{buffer.channel}")
            assert buffer.part == buffer.peak / buffer.room


def test_the_designs_own_output_is_no_buffer() -> None:
    assert [row.outputs for row in occupancies(design())].count(()) == 1
    assert occupancies(design())[-1].outputs == ()


def test_the_picture_says_all_of_it() -> None:
    made, found = design(), page()
    text = found.texts["text"]
    for row in occupancies(made):
        at = text.index(row.instance.name)
        assert text[at + 1] == f"{100 * row.busy:.1f} %"
        for step, buffers in enumerate(b for b in (row.inside, row.outputs) if b):
            assert text[at + 2 + step] == f"{buffers[0].peak:,} of {buffers[0].room:,}"
    bars = [bar for bar in found.named("rect") if bar["class"] == "alarm"]
    assert [bar["width"] for bar in bars] == ["230"]
    assert f"part of the {made.cycles.interval:,} between frames" in found.texts["p"][0]


def test_of_many_units_the_first_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occupancy, "MOST", 2)
    found, count = page(), len(design().instances)
    assert found.texts["p"][0].endswith(f"The first 2 of {count} units are shown.")
    assert len([bar for bar in found.named("rect") if bar["class"] == "alarm"]) <= 1


def test_it_needs_a_design() -> None:
    assert occupancy_section(NOTHING) is None
