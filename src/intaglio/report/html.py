# SPDX-License-Identifier: Apache-2.0
"""HTML from nested calls: what is not marked as HTML is escaped where it enters the page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

#: Elements that have no end tag.
VOID = frozenset({"img", "meta", "br"})
#: Nothing is loaded and nothing is run, whatever text a model's names bring along.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
#: What stands where there is no figure.
NONE = "\N{EN DASH}"

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> Html:
    """Make any text safe inside elements and quoted attributes; unprintables become a sign."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)))


def join(parts: Iterable[str]) -> Html:
    """Put parts one behind the other."""
    return Html("".join(escape(part) for part in parts))


def element(name: str, /, *children: str, **attributes: str) -> Html:
    """Return an element; `class_` is its class, `aria_label` its aria-label."""
    words = [name]
    for key, value in attributes.items():
        words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(value)}"')
    start = f"<{' '.join(words)}>"
    return Html(start if name in VOID else f"{start}{join(children)}</{name}>")


@dataclass(frozen=True)
class Section:
    """A part of the page: `anchor` is what its heading is linked by."""

    anchor: str
    title: str
    body: Html

    def html(self) -> Html:
        """Return the section with its heading."""
        heading = element("h2", self.title, id=self.anchor)
        return element("section", heading, self.body, aria_labelledby=self.anchor)


@dataclass(frozen=True)
class Row:
    """Cells of a table's row; `mark` is a class of the row."""

    cells: Sequence[str]
    mark: str = ""


def table(caption: str, columns: Sequence[str], rows: Sequence[Row], *, text: int = 1) -> Html:
    """Return a table that scrolls by itself where it is wider than the page.

    The first cell of a row is its heading; the first `text` columns are words, the others figures.
    """
    kinds = ["text" if index < text else "number" for index in range(len(columns))]
    head = [
        element("th", title, scope="col", class_=kind)
        for title, kind in zip(columns, kinds, strict=True)
    ]
    body = [_row(row, kinds) for row in rows]
    inner = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    return element(
        "div", inner, class_="scroll", role="region", tabindex="0", aria_label=_plain(caption)
    )


def _row(row: Row, kinds: Sequence[str]) -> Html:
    first, *others = zip(row.cells, kinds, strict=True)
    cells = [element("th", first[0], scope="row", class_=first[1])]
    cells += [element("td", cell, class_=kind) for cell, kind in others]
    return element("tr", *cells, **({"class_": row.mark} if row.mark else {}))


def _plain(caption: str) -> str:
    """Return the caption's first sentence, to name the table by."""
    return caption.partition(". ")[0].rstrip(".")


def page(title: str, head: Html, sections: Sequence[Section], foot: str) -> str:
    """Return the whole document: its style is inside, and nothing of it is elsewhere."""
    style = (resources.files("intaglio.report") / "page.css").read_text(encoding="utf-8")
    links = [element("li", element("a", s.title, href=f"#{s.anchor}")) for s in sections]
    contents = element("nav", element("ul", *links), aria_label="Contents")
    document = element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=POLICY),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", title),
            element("style", Html(f"\n{style}")),
        ),
        "\n",
        element(
            "body",
            element("header", head, contents),
            "\n",
            element("main", *(Html(f"{section.html()}\n") for section in sections)),
            element("footer", element("p", foot)),
        ),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{document}\n"


def number(value: float | None, digits: int = 0) -> str:
    """Print a figure with thousands apart; a dash for none."""
    return NONE if value is None else f"{value:,.{digits}f}"


def percent(fraction: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Print a fraction in percent; a dash for none."""
    if fraction is None:
        return NONE
    rounded = round(100 * fraction, digits) + 0.0  # not -0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{digits}f} %"
