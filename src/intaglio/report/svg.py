# SPDX-License-Identifier: Apache-2.0
"""Drawings of boxes, lines and words as SVG inside the page; their colors are those of `page.css`.

Unlike `plots` these may hold names from a model: each is text of the page, escaped as all of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from intaglio.report.html import Html, element

#: Width of a letter of the page's small print, as a part of its size: a generous average.
_LETTER = 0.6
#: Size of the letters of a drawing, as in `page.css`.
LETTERS = 11.0


def drawing(
    width: float, height: float, parts: Iterable[str], description: str, *, shrinks: bool = True
) -> Html:
    """Return a drawing that is never shown larger than it is; `description` is read out instead.

    It shrinks on a narrow page, or else needs an element around it that scrolls. Units: pixels.
    """
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {_figure(width)} {_figure(height)}",
        style=f"{'max-' if shrinks else ''}width:{_figure(width)}px",
        role="img",
        aria_label=description,
    )


def box(
    x: float, y: float, width: float, height: float, kind: str, *, hint: str = "", shade: float = 1
) -> Html:
    """Return a rectangle; `hint` is shown where the pointer rests, `shade` is 0 for nothing."""
    more = {"fill_opacity": f"{shade:.3f}"} if shade < 1 else {}
    return element(
        "rect",
        *([element("title", hint)] if hint else []),
        x=_figure(x),
        y=_figure(y),
        width=_figure(max(width, 0.0)),
        height=_figure(height),
        class_=kind,
        **more,
    )


def words(
    x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", hint: str = ""
) -> Html:
    """Return a line of text whose letters stand on `y`."""
    more = {"class_": kind} if kind else {}
    if anchor != "start":
        more["text_anchor"] = anchor
    title = [element("title", hint)] if hint else []
    return element("text", *title, text, x=_figure(x), y=_figure(y), **more)


def path(points: str, kind: str) -> Html:
    """Return a line by SVG's path commands."""
    return element("path", d=points, class_=kind)


def fitted(text: str, width: float, *, letters: float = LETTERS) -> str:
    """Cut a text in the middle where it is wider than there is room."""
    room = max(3, int(width / (letters * _LETTER)))
    if len(text) <= room:
        return text
    head = (room - 1) // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (room - 1 - head) :]}"


def _figure(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def ticks(end: float, count: int = 6) -> list[int]:
    """Return round numbers from 0 to `end`, about so many."""
    step = 1
    while end / step > count:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, int(end) + 1, step))
