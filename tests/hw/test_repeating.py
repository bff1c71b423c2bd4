# SPDX-License-Identifier: Apache-2.0
"""What frames can follow each other at, against following them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.errors import VerificationError
from intaglio.hw.repeating import Repeating
from intaglio.hw.timing import Beats, Capacity, Wiring, follow
from tests.strategies import Network, networks

#: Frames followed, and how many of the last are looked at: more than any period seen so far.
FOLLOWED, LAST = 96, 24


def with_room(wiring: Wiring, room: Mapping[str, int]) -> Wiring:
    """Return a wiring whose channels have room for other numbers of tokens."""
    held = {name: replace(wiring.capacities[name], tokens=n) for name, n in room.items()}
    return replace(wiring, capacities={**wiring.capacities, **held})


def intervals(wiring: Wiring) -> list[int] | None:
    """Return the last intervals of many frames that were followed, or None where they never end."""
    try:
        frames = follow(wiring, FOLLOWED).frames
    except VerificationError:
        return None
    return [b.last_out - a.last_out for a, b in pairwise(frames)][-LAST:]


def agree(interval: int | None, seen: list[int] | None) -> bool:
    """Tell whether an interval is that of the frames followed, or their average rounded up."""
    if interval is None or seen is None:
        return interval is None and seen is None
    return min(seen) <= interval <= max(seen)


@settings(max_examples=60)
@given(networks(), st.data())
def test_the_least_interval_is_that_of_frames_followed(
    network: Network, data: st.DataObject
) -> None:
    wiring = dataflow(network.program, device("ecp5-85f"), network.folds)._wiring
    repeating = Repeating.of(wiring)
    assert agree(repeating.least_interval(1, {}), intervals(wiring))
    for _ in range(3):
        names = data.draw(st.sets(st.sampled_from(sorted(wiring.capacities)), max_size=3))
        room = {name: data.draw(st.integers(1, 9)) for name in names & repeating.own.keys()}
        least = repeating.least_interval(1, room)
        assert agree(least, intervals(with_room(wiring, room)))
        if least is not None:
            assert repeating.keeps(least, room)
            assert least == 1 or not repeating.keeps(least - 1, room)
            assert repeating.keeps(least + 1, room)


def test_answers_do_not_depend_on_those_before() -> None:
    wiring = two_in_a_row(8, 1)
    repeating = Repeating.of(wiring)
    for room in (9, 1, 3, 2, 1, 8):
        held = {"between": room}
        fresh = Repeating.of(with_room(wiring, held))
        assert repeating.least_interval(1, held) == fresh.least_interval(0, {})


def two_in_a_row(count: int, tokens: int) -> Wiring:
    """A process a beat a cycle, and one that takes one of four; so many tokens between them."""
    fast = Beats(count, ("in",), ("out",), 1)
    slow = Beats(4 * count, ("in",), ("out",), 1, take_every=4, give_every=4)
    return Wiring(
        [(fast, {"in": "in", "out": "between"}), (slow, {"in": "between", "out": "out"})],
        {"between": Capacity(tokens, 3)},
        {"in": count},
        {"out": count},
    )


def test_a_place_that_comes_back_late_is_part_of_the_interval() -> None:
    assert Repeating.of(two_in_a_row(8, 1)).least_interval(1, {}) == 8 * (4 + 3)
    assert Repeating.of(two_in_a_row(8, 2)).least_interval(1, {}) == 8 * 4


def test_an_interval_that_alternates_is_its_average_rounded_up() -> None:
    first, second = Beats(2, ("in",), ("out",), 5), Beats(2, ("in",), ("out",), 1)
    wiring = Wiring(
        [(first, {"in": "in", "out": "m"}), (second, {"in": "m", "out": "out"})],
        {"m": Capacity(3, 3)},
        {"in": 2},
        {"out": 2},
    )
    assert sorted(intervals(wiring) or []) == sorted([2, 7, 7] * (LAST // 3))
    assert Repeating.of(wiring).least_interval(1, {}) == 6  # two of three places a frame, each 8


def test_what_waits_for_itself_keeps_no_interval() -> None:
    join = Beats(4, ("in", "back"), ("out",), 1)
    loop = Beats(4, ("out",), ("back",), 1)
    names = {"in": "in", "out": "out", "back": "back"}
    capacities = {"out": Capacity(4, 1), "back": Capacity(4, 1)}
    wiring = Wiring([(join, names), (loop, names)], capacities, {"in": 4}, {"end": 4})
    repeating = Repeating.of(wiring)
    assert repeating.least_interval(1, {}) is None
    assert not repeating.keeps(1 << 20, {})
