# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np

from intaglio.report.plots import Spot, histogram, roofline, tradeoff, tradeoff_png, utilization
from tests.report.pages import Page


def draw(low: float = 0.0, high: float = 3.0, name: str = "a") -> str:
    counts, edges = np.array([1000, 20, 0, 3]), np.linspace(0, 4, 5)
    return histogram(counts, edges, low, high, name=name, description="what <it> shows")


def bars(used: Sequence[int], estimated: Sequence[int] | None = None) -> str:
    return utilization(["LUT", "DSP"], used, [100, 10], estimated, name="b", description="cells")


def test_a_plot_is_one_element_that_names_itself() -> None:
    svg = draw()
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    assert root.tag == "svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "what <it> shows"
    assert [float(word) for word in root.attrib["viewBox"].split()][:2] == [0, 0]
    assert "width" not in root.attrib
    Page(svg)


def test_a_plot_refers_to_nothing_outside_and_has_no_date() -> None:
    svg = draw()
    assert "://" not in svg
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert "<text" not in svg


def test_a_plot_takes_its_colors_from_the_page() -> None:
    svg = draw()
    assert {"var(--ink)", "var(--accent)", "var(--band)"} <= set(re.findall(r"var\(--\w+\)", svg))
    assert not re.search("#[0-9a-f]{6}", svg.replace("#ffffff", "").replace('href="#', ""))


def test_names_inside_a_plot_are_its_own_and_all_are_used() -> None:
    svg = draw(name="a") + draw(name="b")
    names = re.findall(r'\bid="([^"]+)"', svg)
    assert len(names) == len(set(names)) > 0
    used = set(re.findall(r'href="#([^"]+)"|url\(#', svg)) | set(re.findall(r"url\(#([^)]+)", svg))
    assert used - {""} == set(names)


def test_the_same_data_give_the_same_bytes() -> None:
    assert draw() == draw()
    assert bars([40, 9]) == bars([40, 9])


def test_values_outside_the_range_stand_out() -> None:
    assert "fill: var(--warn)" in draw(high=3.0)
    inside = draw(low=0.0, high=4.0)
    assert visible(inside, "--warn") == 0
    assert visible(draw(high=3.0), "--warn") > 0


def visible(svg: str, color: str) -> float:
    """Return the height of what is drawn in a color."""
    heights = []
    for path in re.findall(rf'<path d="([^"]*)"[^>]*style="fill: var\({color}\)', svg):
        rows = [float(y) for y in re.findall(r"[ML] [-\d.]+ ([-\d.]+)", path)]
        heights.append(max(rows) - min(rows))
    return max(heights)


def test_more_than_there_is_stands_out() -> None:
    assert "fill: var(--warn)" not in bars([100, 10])
    assert "fill: var(--warn)" in bars([101, 10])


def test_an_estimate_is_a_line_of_its_own() -> None:
    assert bars([40, 9]) != bars([40, 9], [45, 9])


def test_a_picture_file_has_the_same_bytes_each_time() -> None:
    shares, intervals = [0.5, 0.25], [10, 1000]
    found = tradeoff_png(shares, intervals, (0.5, 12))
    assert found.startswith(b"\x89PNG")
    assert found == tradeoff_png(shares, intervals, (0.5, 12))
    assert found != tradeoff_png(shares, intervals, (0.4, 12))


def test_a_chosen_design_and_a_whole_design_stand_out() -> None:
    chosen = tradeoff([0.5, 0.25], [10, 1000], (0.5, 12), name="t", description="front")
    layer, whole = Spot("1", 8.0, 2.0, 3.0, 4.0), Spot("design", 90.0, 4.0, 3.0, 4.0)
    roofs = roofline([layer], whole, 4.0, 0.5, name="r", description="roof")
    for svg in (chosen, roofs):
        assert "var(--warn)" in svg
        assert "var(--accent)" in svg
        assert ET.fromstring(svg).attrib["role"] == "img"  # noqa: S314 - our own drawing


def test_labels_of_one_place_do_not_cover_each_other() -> None:
    spots = [Spot("8", 8.0, 2.0, 3.0, 4.0)] * 3
    whole = Spot("9", 90.0, 4.0, 3.0, 4.0)
    svg = roofline(spots, whole, 4.0, 0.5, name="r", description="roof")
    places = re.findall(r'translate\(([\d.]+) ([\d.]+)\) scale\(0.08 -0.08\)"', svg)
    assert len(places) > len(spots)
    assert len(places) == len(set(places))


def test_something_of_nothing_is_all_of_it() -> None:
    svg = utilization(["A", "B"], [0, 1], [0, 0], None, name="c", description="")
    assert svg.startswith("<svg")


def test_the_users_own_settings_are_neither_used_nor_changed() -> None:
    plain = draw()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": False}):
        before = settings()
        assert draw() == plain
        assert settings() == before


def settings() -> dict[str, Any]:
    """Return matplotlib's settings; asking for the backend would start one."""
    return {key: mpl.rcParams[key] for key in mpl.rcParams if not key.startswith("backend")}
