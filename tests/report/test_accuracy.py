# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from intaglio.quantize.accuracy import Evaluation, WorstImage
from intaglio.report.accuracy import ERROR_COLUMNS, accuracy_section
from tests.report.pages import IMAGES, Page, evaluation
from tests.report.test_facts import NOTHING

FIRST = WorstImage(3, -0.5, 1, 2, 1)


def page(found: Evaluation, *, pictures: bool = True) -> Page:
    count = replace(found, count=len(IMAGES))
    section = accuracy_section(
        replace(NOTHING, evaluation=count, images=IMAGES if pictures else None)
    )
    assert section is not None
    return Page(section.body)


def card(image: WorstImage) -> list[str]:
    found = page(Evaluation(0, 0.5, 0.5, 0.5, (), (image,)))
    return [*found.texts["figcaption"], *found.texts.get("strong", [])]


def cards(found: Page) -> list[dict[str, str | None]]:
    """Return the figures that are worst images."""
    return [figure for figure in found.named("figure") if figure.get("class") in ("right", "wrong")]


def test_accuracies_stand_beside_each_other() -> None:
    found = page(Evaluation(0, 0.9, 0.875, 0.95, (), ()))
    assert found.row("Float accuracy")[1] == "90.00 %"
    assert found.row("Integer accuracy")[1] == "87.50 %"
    assert found.row("Difference")[1] == "-2.50 points"
    assert found.row("Same prediction")[1] == "95.00 %"
    assert found.row("Images")[1] == "40"


def test_without_labels_only_the_agreement_is_shown() -> None:
    found = page(Evaluation(0, None, None, 0.95, (), ()))
    assert [row[0] for row in found.rows] == ["Measure", "Same prediction", "Images"]


def test_every_worst_image_is_drawn_with_its_answers() -> None:
    found = page(evaluation())
    assert len(cards(found)) == len(found.named("img")) == len(evaluation().worst) == 10
    for image, attributes in zip(evaluation().worst, found.named("img"), strict=True):
        assert attributes["alt"] == f"Image {image.index}"
        assert str(attributes["src"]).startswith("data:image/png;base64,")
    text = "".join(found.texts["figcaption"])
    assert f"margin {evaluation().worst[0].margin:.3f}" in text


def test_without_images_the_answers_are_still_there() -> None:
    found = page(evaluation(), pictures=False)
    assert not found.named("img")
    assert len(cards(found)) == 10


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        (FIRST, "integer wrong"),
        (replace(FIRST, label=2), "float wrong"),
        (replace(FIRST, label=3), "both wrong"),
        (replace(FIRST, label=None), "prediction changed"),
        (replace(FIRST, integer_prediction=1), "same answer"),
        (replace(FIRST, integer_prediction=1, label=None), "same answer"),
    ],
)
def test_a_card_says_who_is_wrong(image: WorstImage, verdict: str) -> None:
    lines = card(image)
    assert lines[:3] == ["image 3", "margin -0.500", "float 1"]
    assert lines[-1] == verdict
    assert ("label" in " ".join(lines)) == (image.label is not None)


def test_every_layer_has_its_error() -> None:
    found = page(evaluation())
    assert list(ERROR_COLUMNS) in found.rows
    for layer in evaluation().layers:
        row = found.row(layer.name)
        assert row[1:4] == [layer.type, f"{layer.scale:.4g}", str(layer.zero_point)]
        assert row[5] == f"{layer.max_error:.4g}"
    silent = replace(evaluation().layers[0], sqnr_db=None)
    assert page(replace(evaluation(), layers=(silent,))).row(silent.name)[6] == "–"
