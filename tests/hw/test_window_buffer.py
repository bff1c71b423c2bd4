# SPDX-License-Identifier: Apache-2.0
"""The geometry of the window buffer; its RTL is proven in every design that slides a window."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.memory import ram
from intaglio.hw.timing import Capacity, Timing, Wiring, follow
from intaglio.hw.window_buffer import Window, WindowReader, WindowWriter


@st.composite
def windows(draw: st.DrawFn) -> Window:
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    lanes, parts = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    return Window(
        rows=(kernel[0] - 1) * dilation[0] + 1 + draw(st.integers(0, 8)),
        columns=(kernel[1] - 1) * dilation[1] + 1 + draw(st.integers(0, 5)),
        channels=lanes * parts * draw(st.integers(1, 3)),
        kernel=kernel,
        stride=draw(st.tuples(st.integers(1, 5), st.integers(1, 3))),
        lanes=lanes,
        width=draw(st.integers(1, 9)),
        stacked=draw(st.booleans()) and kernel[1] > 1,
        parts=parts,
        passes=draw(st.integers(1, 4)),
        slack=draw(st.integers(0, 2)),
        whole=draw(st.booleans()),
        dilation=dilation,
    )


def stored_rows(window: Window) -> list[list[int]]:
    """The rows of the image in reach of each row of windows: with `whole`, only its last."""
    down, step = (window.kernel[0] - 1) * window.dilation[0] + 1, window.stride[0]
    first = down - 1 if window.whole else 0
    return [[p * step + r for r in range(first, down)] for p in range(window.out_rows)]


@given(windows())
def test_only_rows_in_reach_of_windows_are_stored(window: Window) -> None:
    read = {row for rows in stored_rows(window) for row in rows}
    assert {row for row in range(window.rows) if window.stores(row)} == read
    assert max(read) < window.rows


@given(windows())
def test_a_row_of_windows_waits_for_its_rows_and_gives_back_those_no_other_reads(
    window: Window,
) -> None:
    stored = [row for row in range(window.rows) if window.stores(row)]
    (take,) = WindowReader(window, 1, 5).events().takes.values()
    at = WindowReader(window, 1, 5).events().at
    rows = stored_rows(window)
    slots_of_row = window.out_columns * window.parts * window.passes * window.window_slots
    for slot, need, release in zip(at, take.need, take.release, strict=True):
        p = slot // slots_of_row
        assert need == stored.index(rows[p][-1]) + 1
        done = p + ((slot + 1) % slots_of_row == 0)
        later = [row for after in rows[done:] for row in after]
        assert release == (stored.index(min(later)) if later else len(stored))
    assert max(need - release for need, release in zip(take.need, take.release, strict=True)) <= (
        window.buffer_rows
    )


@given(windows())
def test_the_writer_takes_the_whole_image_and_gives_the_stored_rows(window: Window) -> None:
    writer = WindowWriter(window)
    events = writer.events()
    give = events.gives["rows"]
    assert writer.slots == window.rows * window.columns * window.groups
    assert list(events.takes["in"].release) == list(range(1, writer.slots + 1))
    assert give.count[-1] == sum(map(window.stores, range(window.rows)))
    grown = [b - a for a, b in zip([0, *give.count], give.count, strict=False)]
    ends = [slot for slot, tokens in enumerate(grown) if tokens]
    beats = window.columns * window.groups
    assert ends == [(r + 1) * beats - 1 for r in range(window.rows) if window.stores(r)]
    # A place is there before the first beat of a row that is stored, and none for one that is not.
    for slot in range(0, writer.slots, beats):
        row = slot // beats
        assert give.reserve[slot] - give.count[slot - 1] * (slot > 0) == window.stores(row)


def alone(window: Window) -> Timing:
    writer, reader = WindowWriter(window), WindowReader(window, 1, 5)
    names = {"in": "in", "rows": "rows", "out": "out"}
    wiring = Wiring(
        [(writer, names), (reader, names)],
        {"rows": Capacity(window.buffer_rows, 1)},
        {"in": writer.slots},
        {"out": window.out_rows * window.row_reads},
    )
    return follow(wiring, 24)


@given(windows())
def test_with_room_for_an_image_it_is_as_fast_as_its_slower_side(window: Window) -> None:
    roomy = replace(window, slack=window.rows)
    slower = max(WindowWriter(window).slots, window.slots)
    assert alone(roomy).interval == slower


@given(windows())
def test_without_slack_it_loses_at_most_the_rows_no_window_reads(window: Window) -> None:
    tight = replace(window, slack=0)
    slower = max(WindowWriter(window).slots, window.slots)
    dropped = window.rows - sum(map(window.stores, range(window.rows)))
    assert slower <= alone(tight).interval <= slower + dropped * window.columns * window.groups


@given(windows())
def test_the_memory_holds_the_rows_of_a_window_and_of_the_next(window: Window) -> None:
    assert window.buffer_rows == 2 * window.window_rows + window.slack
    plain = replace(window, stacked=False, whole=False)
    stacked = replace(plain, stacked=True)
    whole = replace(stacked, whole=True)
    assert plain.row_words * plain.word_width == window.columns * window.channels * window.width
    assert stacked.word_width == window.kernel[1] * plain.word_width
    assert stacked.window_slots * window.kernel[1] == plain.window_slots
    assert whole.word_width == window.kernel[0] * stacked.word_width
    assert whole.slots * window.kernel[0] == stacked.slots
    above = (window.kernel[0] - 1) * window.dilation[0]
    assert whole.stack_memory == ram(above * whole.row_word_width, whole.row_words)
    assert stacked.stack_memory is None
