# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from intaglio.report.svg import box, drawing, fitted, path, ticks, words
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


def test_a_drawing_shrinks_or_keeps_its_size() -> None:
    assert 'style="max-width:10px"' in drawing(10, 1, [], "")
    assert 'style="width:10px"' in drawing(10, 1, [], "", shrinks=False)


def test_round_numbers_reach_to_the_end() -> None:
    assert ticks(0) == [0]
    assert ticks(6) == [0, 1, 2, 3, 4, 5, 6]
    assert ticks(12_345) == [0, 5000, 10_000]


@given(st.integers(1, 10**9), st.integers(2, 12))
def test_ticks_are_few_and_even(end: int, count: int) -> None:
    found = ticks(end, count)
    assert 1 <= len(found) <= count + 1
    steps = {b - a for a, b in pairwise(found)}
    assert len(steps) <= 1
    assert all(str(step).rstrip("0") in ("1", "2", "5") for step in steps)


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
