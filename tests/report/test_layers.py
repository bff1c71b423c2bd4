# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from intaglio.report.layers import UNIT_COLUMNS, layers_section, shape, unit_rows
from tests.report.pages import Page, design, program
from tests.report.test_facts import NOTHING


def test_there_is_a_row_for_every_unit() -> None:
    made = design()
    rows = unit_rows(made)
    assert [row.name for row in rows] == [instance.name for instance in made.instances]
    for row, instance in zip(rows, made.instances, strict=True):
        unit = instance.unit
        assert (row.macs, row.multipliers) == (unit.macs, unit.multipliers)
        assert (row.interval, row.resources) == (
            unit.interval,
            unit.resources.on(made.device),
        )
        assert row.fold == made.folds.get(instance.name)
        assert row.bottleneck == (instance is made.bottleneck)
    assert sum(row.macs for row in rows) == sum(made.graph.macs(n) for n in made.graph.nodes)


def test_a_row_says_what_its_stream_carries() -> None:
    rows = {row.name: row for row in unit_rows(design())}
    assert str(rows["conv.acc"].type) == str(design().graph.types["conv.acc"])
    assert (rows["conv.acc"].operator, rows["conv.acc"].weights) == ("conv2d", "s8n")
    assert (rows["act"].operator, rows["act"].weights) == ("requantize", "")
    width = next(row for row in rows.values() if row.operator == "stream_width")
    before = design().graph.types["pool"]  # flat, which reads it, has no unit
    assert (width.name, width.type, width.fold) == ("fc.acc.width", before, None)


def test_the_table_equals_the_design() -> None:
    made = design()
    page = Page(layers_section(replace(NOTHING, design=made)).body)
    assert page.rows[0] == list(UNIT_COLUMNS)
    assert len(page.rows) == len(made.instances) + 2
    slowest = made.bottleneck
    cells = slowest.unit.resources.on(made.device)
    assert page.row("conv.acc bottleneck") == [
        "conv.acc bottleneck",
        "conv2d",
        "6×6×6",
        str(made.graph.types["conv.acc"].element),
        "s8n",
        f"{slowest.unit.macs:,}",
        "2×3×2",
        str(slowest.unit.multipliers),
        f"{slowest.unit.interval:,}",
        f"{100 * slowest.unit.macs / slowest.unit.multipliers / made.cycles.interval:.1f} %",
        f"{cells.lut:,}",
        f"{cells.ff:,}",
        str(cells.dsp),
        str(cells.bram) if cells.bram else "–",
    ]
    total = page.row("Design")
    assert total[7:9] == [str(made.multipliers), f"{made.cycles.interval:,}"]
    assert total[10:12] == [f"{made.resources.lut:,}", f"{made.resources.ff:,}"]
    marked = [row for row in page.named("tr") if row.get("class") == "bottleneck"]
    assert len(marked) == 1


def test_layers_without_a_unit_are_named() -> None:
    page = Page(layers_section(replace(NOTHING, design=design())).body)
    assert "".join(page.texts["p"]) == "No unit is needed for : the stream passes as it is."
    assert page.texts["code"][-1] == "flat"


def test_without_a_design_the_program_is_shown() -> None:
    page = Page(layers_section(NOTHING).body)
    graph = program().graph
    assert [row[0] for row in page.rows[1:-1]] == [node.name for node in graph.nodes]
    row = page.row("fc.acc")
    assert row[1:3] == ["matmul", "4"]
    assert row[4:] == ["s8n", "216", "220"]
    assert page.row("act")[4:] == ["–", "–", "6"]
    assert page.row("Total")[5:] == ["4,104", f"{graph.parameters:,}"]


def test_a_shape_is_printed_channels_last() -> None:
    assert shape(program().graph.types["conv.acc"]) == "6×6×6"
    assert shape(program().graph.types["fc"]) == "4"
