# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from intaglio.quantize.accuracy import Evaluation
from intaglio.report.accuracy import accuracy_section
from intaglio.report.confusion import confusion
from tests.report.pages import Page, evaluation
from tests.report.test_facts import NOTHING

COUNTS = ((3, 1, 0), (0, 0, 0), (0, 12_345, 5))


def page(known: Evaluation) -> Page:
    section = accuracy_section(replace(NOTHING, evaluation=known))
    assert section is not None
    return Page(section.body)


def test_every_count_stands_in_its_cell() -> None:
    found = Page(confusion(COUNTS))
    assert "label 0, answer 1: 1 of 4" in found.texts["title"]
    assert "label 2, answer 1: 12,345 of 12,350" in found.texts["title"]
    words = found.texts["text"]
    assert words[:6] == ["answer", "right", "label", "0", "1", "2"]
    assert words[6:] == ["0", "3", "1", "75.0 %", "1", "–", "2", "12k", "5", "0.0 %"]
    (svg,) = found.named("svg")
    assert svg["aria-label"] == "Confusion matrix of 3 classes: 8 of 12,354 images on its diagonal"


def test_a_cell_is_as_dark_as_its_part_of_the_row() -> None:
    cells = [c for c in Page(confusion(COUNTS)).named("rect") if c["class"] != "track"]
    assert [cell["class"] for cell in cells[:3]] == ["fill", "alarm", "alarm"]
    assert [cell["fill-opacity"] for cell in cells[:3]] == ["0.750", "0.250", "0.000"]


def test_it_is_shown_where_there_are_labels_and_few_classes() -> None:
    assert "Confusion matrix" in page(evaluation()).texts["h3"]
    without = replace(evaluation(), confusion=None)
    assert "Confusion matrix" not in page(without).texts["h3"]
