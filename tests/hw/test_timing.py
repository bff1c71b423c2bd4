# SPDX-License-Identifier: Apache-2.0
"""The timing that follows sums of times, against one that steps through every cycle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.errors import VerificationError
from intaglio.hw import timing
from intaglio.hw.timing import Beats, Capacity, FrameTime, Wiring, follow
from tests.strategies import Network, networks

ENDLESS = 1 << 40


def step_through(wiring: Wiring, frames: int) -> tuple[list[FrameTime], dict[str, int]]:
    """Let every process try its next slot in every cycle, on what was there before the cycle.

    Returns the frames' times, and the most tokens that lay in each bounded channel.
    """
    ready: Counter[str] = Counter(dict.fromkeys(wiring.sources, ENDLESS))
    freed: Counter[str] = Counter()
    arriving: dict[int, Counter[str]] = defaultdict(Counter)
    returning: dict[int, Counter[str]] = defaultdict(Counter)
    walkers = [_Walker(*pair) for pair in wiring.processes]
    peaks: Counter[str] = Counter()
    source, sink = next(iter(wiring.sources)), next(iter(wiring.sinks))
    taken: list[int] = []
    given: list[int] = []
    cycle = 0
    while len(given) < frames * wiring.sinks[sink]:
        ready.update(arriving.pop(cycle, {}))
        freed.update(returning.pop(cycle, {}))
        for name in wiring.capacities:
            peaks[name] = max(peaks[name], ready[name] - freed[name])
        acting = [w for w in walkers if w.can_act(ready, freed, wiring)]
        for walker in acting:
            for name, tokens, latency in walker.gives():
                for beat in range(tokens):
                    arriving[cycle + latency + beat][name] += 1
                    if name == sink:
                        given.append(cycle + latency + beat)
            for name, tokens in walker.releases():
                delay = wiring.capacities[name].delay if name in wiring.capacities else 1
                returning[cycle + delay][name] += tokens
                if name == source:
                    taken.extend([cycle] * tokens)
            walker.step()
        cycle += 1
        assert acting or arriving or returning, "deadlock"
    a, b = wiring.sources[source], wiring.sinks[sink]
    times = [FrameTime(taken[f * a], given[f * b], given[(f + 1) * b - 1]) for f in range(frames)]
    return times, {name: peaks[name] for name in wiring.capacities if name not in wiring.sinks}


@dataclass
class _Walker:
    """A process at one of its slots."""

    process: timing.Process
    names: dict[str, str]
    frame: int = 0
    slot: int = 0

    def __post_init__(self) -> None:
        self.events = self.process.events()
        self.index = {slot: index for index, slot in enumerate(self.events.at)}

    def can_act(self, ready: Counter[str], freed: Counter[str], wiring: Wiring) -> bool:
        index = self.index.get(self.slot)
        if index is None:
            return True
        for port, take in self.events.takes.items():
            if self.frame * take.release[-1] + take.need[index] > ready[self.names[port]]:
                return False
        for port, give in self.events.gives.items():
            name = self.names[port]
            if name in wiring.capacities and name not in wiring.sinks:
                room = wiring.capacities[name].tokens + freed[name]
                if self.frame * give.count[-1] + give.reserve[index] > room:
                    return False
        return True

    def gives(self) -> list[tuple[str, int, int]]:
        index = self.index.get(self.slot)
        if index is None:
            return []
        return [
            (self.names[port], _grown(give.count, index), give.latency)
            for port, give in self.events.gives.items()
        ]

    def releases(self) -> list[tuple[str, int]]:
        index = self.index.get(self.slot)
        if index is None:
            return []
        return [
            (self.names[port], _grown(take.release, index))
            for port, take in self.events.takes.items()
        ]

    def step(self) -> None:
        self.slot += 1
        if self.slot == self.process.slots:
            self.slot, self.frame = 0, self.frame + 1


def _grown(counts: Sequence[int], index: int) -> int:
    return counts[index] - (counts[index - 1] if index else 0)


@settings(max_examples=60)
@given(networks())
def test_following_sums_equals_stepping_through_every_cycle(network: Network) -> None:
    design = dataflow(network.program, device("ecp5-85f"), network.folds)
    frames = 4
    times, peaks = step_through(design._wiring, frames)
    found = follow(design._wiring, frames)
    assert list(found.frames) == times
    if len(design.instances) == 1:
        assert list(design.instances[0].unit.timing(frames).frames) == times
    # The stepping also sees the frames behind the last one that is timed come in.
    assert all(found.peaks[name] <= peak for name, peak in peaks.items())


@settings(max_examples=25)
@given(networks())
def test_continuing_a_period_equals_following_every_frame(network: Network) -> None:
    design = dataflow(network.program, device("ecp5-85f"), network.folds)
    continued = follow(design._wiring, 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "REPEATS", 40)
        followed = follow(design._wiring, 40)
    assert continued.frames == followed.frames
    assert continued.interval == followed.interval


def test_a_single_frame_counts_its_latency_as_its_interval() -> None:
    one = Beats(4, ("in",), ("out",), 3)
    found = follow(_alone(one, 4, 4), 1)
    assert found.frames == (FrameTime(0, 3, 6),)
    assert found.interval == found.frames[0].latency == 6


def test_beats_are_taken_and_given_at_regular_slots() -> None:
    narrow = Beats(4, ("in",), ("out",), 2, take_every=2)
    assert follow(_alone(narrow, 2, 4), 2).frames == (FrameTime(1, 2, 5), FrameTime(5, 6, 9))
    widen = Beats(4, ("in",), ("out",), 2, give_every=2)
    assert follow(_alone(widen, 4, 2), 2).frames == (FrameTime(0, 3, 5), FrameTime(4, 7, 9))


def test_a_full_channel_holds_its_giver_up_until_a_place_comes_back() -> None:
    fast = Beats(8, ("in",), ("out",), 1)
    slow = Beats(32, ("in",), ("out",), 1, take_every=4, give_every=4)
    wiring = Wiring(
        [(fast, {"in": "in", "out": "between"}), (slow, {"in": "between", "out": "out"})],
        {"between": Capacity(1, 3)},
        {"in": 8},
        {"out": 8},
    )
    times, peaks = step_through(wiring, 3)
    found = follow(wiring, 3)
    assert list(found.frames) == times
    assert found.peaks["between"] == peaks["between"] == 1
    assert found.interval == 8 * (4 + 3)  # the only place comes back three cycles after the beat


def test_processes_that_wait_for_each_other_for_ever_are_an_error() -> None:
    join = Beats(4, ("in", "back"), ("out",), 1)
    loop = Beats(4, ("out",), ("back",), 1)
    names = {"in": "in", "out": "out", "back": "back"}
    wiring = Wiring(
        [(join, names), (loop, names)],
        {"out": Capacity(4, 1), "back": Capacity(4, 1)},
        {"in": 4},
        {"end": 4},
    )
    with pytest.raises(VerificationError, match="must not wait for each other for ever"):
        follow(wiring, 1)


def _alone(process: timing.Process, beats_in: int, beats_out: int) -> Wiring:
    names = {"in": "in", "out": "out"}
    return Wiring([(process, names)], {}, {"in": beats_in}, {"out": beats_out})


def test_a_process_works_from_its_first_event_of_a_frame_to_its_last() -> None:
    slow = timing.Beats(4, ("in",), ("out",), latency=3, take_every=2)
    names = {"in": "in", "out": "between"}
    last = timing.Beats(4, ("in",), ("out",), latency=1)
    wiring = Wiring(
        [(slow, names), (last, {"in": "between", "out": "out"})],
        {"between": Capacity(4, 1)},
        {"in": 2},
        {"out": 4},
    )
    first, second = timing.spans(wiring, 2)
    assert first == (timing.Span(0, 3), timing.Span(4, 7))
    assert second == (timing.Span(3, 6), timing.Span(7, 10))
    times = timing.follow(wiring, 2).frames
    assert [time.last_out for time in times] == [span.last + 1 for span in second]
