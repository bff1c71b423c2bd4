# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from intaglio.errors import IntaglioError
from intaglio.report.facts import Facts
from intaglio.report.front import front_csv, front_section, require_ending, save_front, share
from tests.report.pages import DEVICE, Page, design, front, synthesis
from tests.report.test_facts import NOTHING

KNOWN = replace(NOTHING, design=design(), front=front())


def page(facts: Facts) -> Page:
    section = front_section(facts)
    assert section is not None
    return Page(section.body)


def test_a_share_is_the_mean_over_the_kinds_that_there_are() -> None:
    cells = design().resources
    parts = [getattr(cells, k) / getattr(DEVICE, k) for k in ("lut", "ff", "dsp", "bram")]
    assert share(cells, DEVICE) == pytest.approx(sum(parts) / 4)
    without = replace(DEVICE, dsp=0)
    assert share(cells, without) == pytest.approx((parts[0] + parts[1] + parts[3]) / 3)


def test_what_is_slower_is_smaller() -> None:
    assert len(front()) > 2
    for fast, slow in pairwise(front()):
        assert fast.interval < slow.interval
        assert share(fast.resources, DEVICE) > share(slow.resources, DEVICE)


def test_the_page_has_every_folding_and_the_chosen_design() -> None:
    found = page(KNOWN)
    assert found.rows[0][:3] == ["Interval", "Frames/s at 100.0 MHz", "Share"]
    for folding, row in zip(front(), found.rows[1:], strict=False):
        cells = folding.resources
        assert row[:2] == [f"{folding.interval:,}", f"{1e8 / folding.interval:,.0f}"]
        assert row[3:] == [f"{c:,}" for c in (cells.lut, cells.ff, cells.dsp, cells.bram)]
    assert len(found.rows) == len(front()) + 2
    assert found.rows[-1][0] == f"{design().cycles.interval:,}"
    (svg,) = [svg for svg in found.named("svg") if "aria-label" in svg]
    assert str(svg["aria-label"]).startswith(f"{len(front())} foldings from ")
    assert str(svg["aria-label"]).endswith(f"chosen: {design().cycles.interval:,}")


def test_a_placed_design_sets_the_clock() -> None:
    found = page(replace(KNOWN, synthesis=synthesis()))
    assert found.rows[0][1] == "Frames/s at 123.5 MHz"
    assert found.rows[1][1] == f"{123.45e6 / front()[0].interval:,.0f}"


def test_it_needs_a_design_and_a_front() -> None:
    assert front_section(replace(KNOWN, front=())) is None
    assert front_section(replace(KNOWN, design=None)) is None


def test_a_table_has_a_line_a_folding() -> None:
    head, *lines = front_csv(front(), DEVICE, 50.0).splitlines()
    assert head == "interval_cycles,frames_per_second,share,lut,ff,dsp,bram"
    for folding, line in zip(front(), lines, strict=True):
        cells = folding.resources
        interval, fps, part, *counts = line.split(",")
        assert (int(interval), fps) == (folding.interval, f"{50e6 / folding.interval:.1f}")
        assert part == f"{share(cells, DEVICE):.5f}"
        assert list(map(int, counts)) == [cells.lut, cells.ff, cells.dsp, cells.bram]


def test_a_file_is_a_table_or_a_picture_by_its_name(tmp_path: Path) -> None:
    table, picture = tmp_path / "a.csv", tmp_path / "a.png"
    save_front(table, front(), design(), 100.0)
    assert table.read_text() == front_csv(front(), DEVICE, 100.0)
    save_front(picture, front(), design(), 100.0)
    first = picture.read_bytes()
    assert first.startswith(b"\x89PNG")
    save_front(picture, front(), design(), 100.0)
    assert picture.read_bytes() == first


def test_another_kind_of_file_is_refused() -> None:
    text = r"^a file for a Pareto front must end in \.csv or \.png, not be 'a\.pdf'$"
    with pytest.raises(IntaglioError, match=text):
        require_ending(Path("a.pdf"))
