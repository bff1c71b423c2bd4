# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from intaglio.report.facts import Facts
from intaglio.report.roofline import COLUMNS, design_work, layers_work, roofline_section
from tests.report.pages import Page, design, synthesis
from tests.report.test_facts import NOTHING


def page(facts: Facts) -> Page:
    section = roofline_section(facts)
    assert section is not None
    return Page(section.body)


def test_traffic_is_that_of_the_values_and_weights() -> None:
    made = design()
    types = made.graph.types
    conv, dense = layers_work(made)
    assert (conv.name, dense.name) == ("conv.acc", "fc.acc")
    assert conv.bytes_in == 8 * 8 * 2 * types["in"].integer.width / 8
    assert conv.bytes_out == 6 * 6 * 6 * types["conv.acc"].integer.width / 8
    weight, bias = (types[name].integer.width for name in ("conv.weight", "conv.bias"))
    assert conv.weight_bytes == (6 * 3 * 3 * 2 * weight + 6 * bias) / 8
    assert conv.beats == 6 * 6 * 6  # results leave one by one
    whole = design_work(made)
    assert whole.bytes_in == conv.bytes_in
    assert whole.bytes_out == 4 * types["fc"].integer.width / 8
    assert whole.macs == conv.macs + dense.macs
    assert whole.weight_bytes == conv.weight_bytes + dense.weight_bytes


def test_nothing_is_above_its_roof() -> None:
    made = design()
    for work in (*layers_work(made), design_work(made)):
        assert 0 < work.reached <= work.roof <= work.multipliers
        spot = work.spot("7")
        assert (spot.label, spot.reached, spot.roof) == ("7", work.reached, work.roof)
        assert spot.with_weights < spot.intensity == work.macs / work.moved


def test_the_page_has_the_plot_and_its_figures() -> None:
    made, found = design(), page(replace(NOTHING, design=design()))
    whole = design_work(made)
    assert list(COLUMNS) in found.rows
    row = found.row("conv.acc")
    assert row[1:3] == ["1", f"{layers_work(made)[0].macs:,}"]
    assert found.row("Design")[8] == f"{whole.roof:,.1f}"
    (svg,) = [svg for svg in found.named("svg") if "aria-label" in svg]
    reached = f"{whole.reached:,.1f} of at most {made.multipliers:,} MACs a cycle"
    assert svg["aria-label"] == f"Roofline of 2 layers and the design: {reached}"
    text = found.texts["p"][0]
    assert f"The design does {reached}. " in text
    assert "though all of them stay on the chip" in text


def test_a_placed_design_is_also_told_in_seconds() -> None:
    made = design()
    text = page(replace(NOTHING, design=made, synthesis=synthesis())).texts["p"][0]
    assert f"at 123.5 MHz {design_work(made).reached * 0.12345:,.2f} of " in text
    assert f"{made.multipliers * 0.12345:,.2f} GMAC/s" in text


def test_it_needs_a_design_that_multiplies() -> None:
    assert roofline_section(NOTHING) is None
    still = replace(design(), instances=design().instances[1:2])
    assert not still.multipliers
    assert roofline_section(replace(NOTHING, design=still)) is None
