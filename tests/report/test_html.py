# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intaglio.report.html import (
    Html,
    Row,
    Section,
    element,
    escape,
    join,
    number,
    page,
    percent,
    table,
)
from tests.report.pages import Page

#: Text of any kind but what is shown as a sign: controls and lone surrogates.
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@given(texts, texts)
def test_any_text_comes_back_as_text_and_never_as_markup(text: str, value: str) -> None:
    found = Page(element("p", text, title=value))
    assert "".join(found.texts.get("p", [])) == text
    assert found.elements == [("p", {"title": value})]


@given(st.text())
def test_whatever_is_escaped_can_be_encoded(text: str) -> None:
    assert b"<" not in escape(text).encode()


def test_unprintable_characters_become_a_sign() -> None:
    assert escape("a\x00\x1b[31m\ud800\n\tb") == "a��[31m�\n\tb"


def test_html_is_not_escaped_twice() -> None:
    inner = element("b", "1 < 2")
    assert inner == "<b>1 &lt; 2</b>"
    assert element("p", inner, " & ") == "<p><b>1 &lt; 2</b> &amp; </p>"
    assert join([inner, "<"]) == "<b>1 &lt; 2</b>&lt;"


def test_attributes_are_named_as_in_html() -> None:
    assert element("img", class_="a", aria_label='"<') == (
        '<img class="a" aria-label="&quot;&lt;">'
    )


def test_a_table_has_a_caption_headings_and_a_region_to_scroll() -> None:
    html = table("Names. More.", ("A", "B"), [Row(["x", "1"]), Row(["y", "<"], "total")])
    found = Page(html)
    assert found.rows == [["A", "B"], ["x", "1"], ["y", "<"]]
    assert found.texts["caption"] == ["Names. More."]
    (region,) = found.named("div")
    assert (region["role"], region["tabindex"], region["aria-label"]) == ("region", "0", "Names")
    assert [th["scope"] for th in found.named("th")] == ["col", "col", "row", "row"]
    assert found.named("tr")[2] == {"class": "total"}


def test_a_page_links_its_sections_and_forbids_all_loading() -> None:
    sections = [Section("one", "First <part>", Html("<p>text</p>"))]
    found = Page(page("a <title>", Html("<h1>head</h1>"), sections, "foot"))
    assert found.texts["title"] == ["a <title>"]
    assert found.texts["h2"] == found.texts["a"] == ["First <part>"]
    assert [a["href"] for a in found.named("a")] == ["#one"]
    assert found.named("h2") == [{"id": "one"}]
    assert found.named("html") == [{"lang": "en"}]
    policies = [m["content"] for m in found.named("meta") if "http-equiv" in m]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_figures_are_printed_for_people() -> None:
    assert (number(1234567), number(1234.56, 1), number(None)) == ("1,234,567", "1,234.6", "–")
    assert (percent(0.1234), percent(None), percent(1.0, 2)) == ("12.3 %", "–", "100.00 %")
    signed = [percent(value, sign=True) for value in (0.05, -0.05, 0.0, -0.0001)]
    assert signed == ["+5.0 %", "-5.0 %", "0.0 %", "0.0 %"]
