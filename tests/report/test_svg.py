# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intaglio.report.svg import box, drawing, fitted, path, words
from tests.report.pages import Page


def test_a_drawing_is_one_element_that_names_itself() -> None:
    parts = [box(1, 2, 3.25, 4, "fill", shade=0.5), path("M0 0H9", "edge"), words(0, 9, "<a>")]
    page = Page(drawing(10, 20.5, parts, "what <it> shows"))
    (svg,) = page.named("svg")
    assert (svg["role"], svg["aria-label"]) == ("img", "what <it> shows")
    assert (svg["viewbox"], svg["style"]) == ("0 0 10 20.5", "max-width:10px")
    (rect,) = page.named("rect")
    assert (rect["width"], rect["class"], rect["fill-opacity"]) == ("3.2", "fill", "0.500")
    assert page.texts["text"] == ["<a>"]


def test_nothing_is_narrower_than_nothing() -> None:
    assert 'width="0"' in box(0, 0, -1, 1, "fill")


def test_a_hint_is_not_part_of_the_words() -> None:
    page = Page(words(0, 0, "sh…t", hint="short", anchor="end"))
    assert (page.texts["title"], page.texts["text"]) == (["short"], ["sh…t"])
    assert page.named("text")[0]["text-anchor"] == "end"


@given(st.text(max_size=60), st.floats(1, 500))
def test_a_text_that_fits_is_left_and_others_keep_both_ends(text: str, width: float) -> None:
    cut = fitted(text, width)
    if cut != text:
        head, _, tail = cut.partition("…")
        assert len(cut) < len(text)
        assert text.startswith(head)
        assert text.endswith(tail)
    assert len(fitted(text, 60)) <= 10
