# SPDX-License-Identifier: Apache-2.0
"""The confusion matrix: which classes the integer program takes for which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from intaglio.report.html import NONE, Html, element, join, percent
from intaglio.report.svg import box, drawing, words

CELL = 30.0
_LEFT, _TOP, _RIGHT = 44.0, 40.0, 64.0


def confusion(counts: Sequence[Sequence[int]]) -> Html:
    """Return the matrix as a picture. Shapes: counts [labels, answers], as many of both."""
    right = sum(row[label] for label, row in enumerate(counts))
    total = sum(map(sum, counts))
    size = CELL * len(counts)
    picture = drawing(
        _LEFT + size + _RIGHT,
        _TOP + size + 4,
        [*_heads(len(counts)), *(cell for n, row in enumerate(counts) for cell in _row(n, row))],
        f"Confusion matrix of {len(counts)} classes: {right:,} of {total:,} images on its diagonal",
    )
    text = (
        "Answers of the integer program on the labeled images: a row a label, a column an answer. "
        "A cell is as dark as its part of its row; the last column is the part of the row that is "
        "right."
    )
    heading = element("h3", "Confusion matrix")
    return join([heading, element("p", text), element("figure", picture)])


def _heads(classes: int) -> Iterator[Html]:
    yield words(_LEFT + CELL * classes / 2, 12, "answer", "soft", anchor="middle")
    yield words(_LEFT + CELL * classes + 8, 32, "right", "soft")
    yield words(_LEFT - 8, 32, "label", "soft", anchor="end")
    for column in range(classes):
        yield words(_LEFT + CELL * (column + 0.5), 32, str(column), "soft", anchor="middle")


def _row(label: int, row: Sequence[int]) -> Iterator[Html]:
    y, count = _TOP + CELL * label, sum(row)
    middle = y + CELL / 2 + 4
    yield words(_LEFT - 8, middle, str(label), "soft", anchor="end")
    for answer, images in enumerate(row):
        x, part = _LEFT + CELL * answer, images / max(count, 1)
        kind = "fill" if answer == label else "alarm"
        hint = f"label {label}, answer {answer}: {images:,} of {count:,}"
        yield box(x, y, CELL - 1, CELL - 1, "track")
        yield box(x, y, CELL - 1, CELL - 1, kind, hint=hint, shade=part)
        if images:
            ink = "inverse" if part > 0.5 else ""
            yield words(x + (CELL - 1) / 2, middle, _short(images), ink, anchor="middle")
    share = percent(row[label] / count) if count else NONE
    yield words(_LEFT + CELL * len(row) + 8, middle, share)


def _short(images: int) -> str:
    """Print a count so that it fits a cell."""
    return str(images) if images < 10_000 else f"{images // 1000}k"
