# SPDX-License-Identifier: Apache-2.0
"""Float against integers: the task's accuracy, the images it is closest on, every layer's error."""

from __future__ import annotations

import numpy as np

from intaglio.quantize.accuracy import Evaluation, LayerError, WorstImage
from intaglio.report.confusion import confusion
from intaglio.report.facts import Facts
from intaglio.report.html import (
    NONE,
    Html,
    Row,
    Section,
    element,
    join,
    number,
    percent,
    table,
)
from intaglio.report.png import data_uri, picture

ERROR_COLUMNS = (
    "Value",
    "Type",
    "Scale",
    "Zero point",
    "Mean error",
    "Largest error",
    "SQNR, dB",
    "Saturated",
)


def accuracy_section(facts: Facts) -> Section | None:
    """Return what quantization costs; needs an evaluation."""
    evaluation = facts.evaluation
    if evaluation is None:
        return None
    parts = [_summary(evaluation)]
    if evaluation.confusion is not None:
        parts.append(confusion(evaluation.confusion))
    if evaluation.worst:
        parts.append(_worst(facts, evaluation))
    if evaluation.layers:
        parts.append(_errors(evaluation))
    return Section("accuracy", "Float against integers", join(parts))


def _summary(evaluation: Evaluation) -> Html:
    real, whole = evaluation.float_accuracy, evaluation.integer_accuracy
    rows = []
    if real is not None and whole is not None:
        points = f"{100 * (whole - real) + 0.0:+.2f} points"
        rows = [
            Row(["Float accuracy", percent(real, 2)]),
            Row(["Integer accuracy", percent(whole, 2)]),
            Row(["Difference", points if whole != real else "none"]),
        ]
    if evaluation.agreement is not None:
        rows.append(Row(["Same prediction", percent(evaluation.agreement, 2)]))
    rows.append(Row(["Images", number(evaluation.count)]))
    return table("Accuracy on the same images.", ("Measure", "Value"), rows)


def _worst(facts: Facts, evaluation: Evaluation) -> Html:
    text = (
        "The images on which the integers are nearest to another answer than the float network, "
        "or past it. The margin is the integers' score of the float network's class over their "
        "best other score, in real units; it is negative where the prediction changed."
    )
    cards = [_card(image, source) for image, source in _pictures(facts, evaluation)]
    heading = element("h3", "Worst images")
    return join([heading, element("p", text), element("div", *cards, class_="cards")])


def _pictures(facts: Facts, evaluation: Evaluation) -> list[tuple[WorstImage, str]]:
    """Pair each worst image with its picture, or with nothing where there is none to show."""
    worst = evaluation.worst
    if facts.images is None:
        return [(image, "") for image in worst]
    frames = facts.graph.frames(facts.images[[image.index for image in worst]])
    low, high = float(np.min(frames)), float(np.max(frames))
    found = []
    for image, frame in zip(worst, frames, strict=True):
        pixels = picture(frame, low, high)
        found.append((image, "" if pixels is None else data_uri(pixels)))
    return found


def _card(image: WorstImage, source: str) -> Html:
    parts = []
    if source:
        parts.append(element("img", src=source, alt=f"Image {image.index}"))
    lines = [f"image {image.index}", f"margin {image.margin:.3f}"]
    lines += [f"float {image.float_prediction}", f"integer {image.integer_prediction}"]
    if image.label is not None:
        lines.append(f"label {image.label}")
    caption = [part for line in lines for part in (line, element("br"))]
    verdict = _verdict(image)
    caption.append(element("strong", verdict) if verdict else "same answer")
    mark = "wrong" if verdict else "right"
    return element("figure", *parts, element("figcaption", *caption), class_=mark)


def _verdict(image: WorstImage) -> str:
    """Say what is wrong with the answers, if anything is."""
    answers = {"float": image.float_prediction, "integer": image.integer_prediction}
    if image.label is None:
        return "prediction changed" if len(set(answers.values())) > 1 else ""
    wrong = [name for name, answer in answers.items() if answer != image.label]
    return f"{'both' if len(wrong) > 1 else wrong[0]} wrong" if wrong else ""


def _errors(evaluation: Evaluation) -> Html:
    caption = (
        "Integers against the float network's values, in real units. "
        "SQNR: signal to quantization noise. Saturated: codes at an end of their type that does "
        "not mean zero. Accumulators are compared under their layer's name."
    )
    rows = [_error(layer) for layer in evaluation.layers]
    return join(
        [element("h3", "Error of every value"), table(caption, ERROR_COLUMNS, rows, text=2)]
    )


def _error(layer: LayerError) -> Row:
    return Row(
        [
            element("code", layer.name),
            layer.type,
            f"{layer.scale:.4g}",
            number(layer.zero_point),
            f"{layer.mean_error:.4g}",
            f"{layer.max_error:.4g}",
            NONE if layer.sqnr_db is None else f"{layer.sqnr_db:.1f}",
            percent(layer.saturated, 3),
        ]
    )
