# SPDX-License-Identifier: Apache-2.0
"""The order of a reordering; its RTL is proven in every design that moves words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.stream_reorder import Loop, Order, ReorderReader, ReorderWriter


def addresses(loops: Sequence[Loop]) -> list[int]:
    """Every word that a nest reads, in turn."""
    turns = product(*(range(count) for count, _ in loops))
    return [sum(t * step for t, (_, step) in zip(turn, loops, strict=True)) for turn in turns]


@st.composite
def nests(draw: st.DrawFn) -> tuple[int, list[Loop]]:
    """Draw the loops of a transposition, some of them turned more than once, and its words."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    words, loops = 1, list[Loop]()
    for size in sizes[::-1]:
        loops.append((size, words))
        words *= size
    repeats = [(draw(st.integers(1, 3)), 0) for _ in range(draw(st.integers(0, 2)))]
    return words, draw(st.permutations([*loops, *repeats]))


@given(nests())
def test_blocks_and_fewer_loops_read_the_same_words(nest: tuple[int, list[Loop]]) -> None:
    words, loops = nest
    order = Order.of(words, loops)
    assert order.blocks * order.words == words
    inside = addresses(order.loops)
    assert max(inside) < order.words
    found = [block * order.words + a for block in range(order.blocks) for a in inside]
    assert found == addresses(loops)
    assert order.passes == (found == list(range(words)))
    assert len(order.loops) <= len(loops)
    assert order.slots == len(inside)


@given(nests())
def test_a_block_is_taken_when_whole_and_given_back_when_read(
    nest: tuple[int, list[Loop]],
) -> None:
    order = Order.of(*nest)
    writer, reader = ReorderWriter(order), ReorderReader(order)
    give = writer.events().gives[order.room]
    take = reader.events().takes[order.room]
    for slot in range(writer.slots):
        assert give.reserve[slot] == slot // order.words + 1
        assert give.count[slot] == (slot + 1) // order.words
    for slot in range(reader.slots):
        assert take.need[slot] == slot // order.slots + 1
        assert take.release[slot] == (slot + 1) // order.slots
    assert give.count[-1] == take.release[-1] == order.blocks
