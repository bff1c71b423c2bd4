# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from intaglio.report.comparison import (
    Comparison,
    comparison_section,
    comparisons,
    device_section,
)
from intaglio.report.facts import Facts
from intaglio.report.summary import multiplier_busy
from tests.report.pages import DEVICE, Page, design, run, synthesis
from tests.report.test_facts import NOTHING

ALL = replace(NOTHING, design=design(), run=run(), synthesis=synthesis())


def page(facts: Facts) -> Page:
    section = comparison_section(facts)
    assert section is not None
    return Page(section.body)


def test_predictions_stand_beside_what_was_found() -> None:
    cycles, cells = design().cycles, design().resources
    found = page(ALL)
    assert found.row("Latency, cycles")[1:] == [f"{cycles.latency:,}"] * 2 + ["–", "–", "0.0 %"]
    assert found.row("Interval, cycles")[1:3] == [f"{cycles.interval:,}"] * 2
    busy = f"{100 * multiplier_busy(design()):.1f} %"
    assert found.row("Multipliers busy at the bottleneck")[1:3] == [busy, busy]
    numbers = [f"{cells.lut + more:,}" for more in (0, 10, 20)]
    error = f"{100 * (cells.lut / (cells.lut + 20) - 1):+.1f} %"
    assert found.row("LUT")[1:] == [numbers[0], "–", *numbers[1:], error]
    assert found.row("DSP")[5] == found.row("Block RAM")[5] == "0.0 %"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (Comparison("a", 90, placed=100), -0.1),
        (Comparison("a", 90, simulated=60), 0.5),
        (Comparison("a", 0, placed=0), 0.0),
        (Comparison("a", 1, placed=0), None),
        (Comparison("a", 1), None),
        (Comparison("a", placed=1), None),
    ],
)
def test_the_error_is_relative_to_what_was_found(row: Comparison, error: float | None) -> None:
    assert row.error == pytest.approx(error)


def test_what_is_not_known_has_no_row() -> None:
    assert comparisons(NOTHING) == []
    names = [row.quantity for row in comparisons(replace(NOTHING, run=run()))]
    assert names == ["Latency, cycles", "Interval, cycles"]
    placed = replace(NOTHING, synthesis=synthesis())
    names = [row.quantity for row in comparisons(placed)]
    assert names == ["LUT", "Flip-flops", "DSP", "Block RAM"]
    assert page(placed).row("LUT")[1] == "–"


def test_under_stalls_cycles_are_not_compared() -> None:
    stalled = replace(ALL, run=run(stalled=True, latency_simulated=10**6))
    assert page(stalled).row("Latency, cycles")[2] == "–"
    assert "random back-pressure" in "".join(page(stalled).texts["li"])


def test_a_single_frame_measures_no_interval() -> None:
    rows = {row.quantity: row for row in comparisons(replace(ALL, run=run(images=1)))}
    assert rows["Interval, cycles"].simulated is None
    assert rows["Latency, cycles"].simulated == design().cycles.latency


def test_remarks_name_the_proof_and_the_clock() -> None:
    text = "".join(page(ALL).texts["li"])
    assert "16 images, 12,345 cycles, 0 bits different from the integer program, 0 cycles" in text
    assert f"123.5 MHz at most, which makes {123.45e6 / design().cycles.interval:,.0f}" in text
    assert page(ALL).texts["code"] == ["a to b"]


def test_it_needs_a_simulation_or_a_synthesis() -> None:
    assert comparison_section(replace(NOTHING, design=design())) is None


def test_the_device_is_shown_with_what_is_placed_or_else_estimated() -> None:
    assert device_section(replace(NOTHING, run=run(), synthesis=synthesis())) is None
    for facts, how, more in ((ALL, "placed", 20), (replace(ALL, synthesis=None), "estimated", 0)):
        section = device_section(facts)
        assert section is not None
        found = Page(section.body)
        assert f"Bars show what is {how}" in "".join(found.texts["p"])
        (svg,) = found.named("svg")
        used = f"LUT {design().resources.lut + more:,} of {DEVICE.lut:,}"
        assert used in str(svg["aria-label"])
