# SPDX-License-Identifier: Apache-2.0
"""The events of a wiring followed frame by frame: the loop that `timing` is asked for most.

A design of a dozen layers has a million events a frame, so the loop is compiled: by numba, which
takes these functions as they stand and keeps the result beside this file, as Python keeps its own
compiled files. Loaded late: numba takes a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numba
import numpy as np

from intaglio.hw.timing import Beats, Counts, Events, FrameTime, Process, Span, Wiring

Numbers = np.ndarray
#: Frames that room is made for at first; it doubles. Most pipelines repeat themselves soon.
FIRST_FRAMES = 4
#: Processes whose events are kept. A design has a few dozen, and is followed again and again.
KEPT_PROCESSES = 512


class Tables(NamedTuple):
    """What never changes. Rows of events, takes and gives lie one process after the other.

    `events`, `takes` and `gives` hold where those of each process start. A take or give is a row
    of `take` (channel, where its counts start, tokens a frame) or `give` (the same, and latency).
    `channel` rows are: capacity or -1 for no bound, delay, whether it is fed without end, and the
    processes that give to it and take from it. `every` says how many slots of a process with an
    event at every slot lie between its takes and between its gives, such as those of `Beats`; it is
    0 for the others, and those have no events in the tables.
    """

    at: Numbers
    slots: Numbers
    events: Numbers
    takes: Numbers
    take: Numbers
    need: Numbers
    release: Numbers
    gives: Numbers
    give: Numbers
    reserve: Numbers
    given: Numbers
    channel: Numbers
    every: Numbers


class State(NamedTuple):
    """What moves. `process` rows are: frame, index, time, slot; `tokens` rows: ready, freed.

    `ready` and `freed` hold the times of each channel's tokens from `base` on. `awake` marks the
    processes that something has changed for, `first` holds the times of their frames' first events.
    """

    process: Numbers
    tokens: Numbers
    base: Numbers
    ready: Numbers
    freed: Numbers
    awake: Numbers
    first: Numbers


@numba.njit(cache=True, inline="always")
def earliest(tables: Tables, state: State, p: int, frame: int, index: int, time: int) -> int:
    """Return when a process's next event can happen, at `time` at best, or -1 while it is open."""
    for t in range(tables.takes[p], tables.takes[p + 1]):
        c = tables.take[t, 0]
        if not tables.channel[c, 2]:
            wanted = frame * tables.take[t, 2] + tables.need[tables.take[t, 1] + index]
            if wanted > state.tokens[c, 0]:
                return -1
            if wanted:
                time = max(time, state.ready[state.base[c] + wanted - 1])
    for g in range(tables.gives[p], tables.gives[p + 1]):
        c = tables.give[g, 0]
        if tables.channel[c, 0] >= 0:
            place = frame * tables.give[g, 2] + tables.reserve[tables.give[g, 1] + index]
            place -= tables.channel[c, 0]
            if place > state.tokens[c, 1]:
                return -1
            if place > 0:
                time = max(time, state.freed[state.base[c] + place - 1])
    return time


@numba.njit(cache=True, inline="always")
def fire(tables: Tables, state: State, p: int, index: int, time: int) -> None:
    """Move the tokens of a process's event."""
    for t in range(tables.takes[p], tables.takes[p + 1]):
        c, at = tables.take[t, 0], tables.take[t, 1] + index
        tokens = tables.release[at] - (tables.release[at - 1] if index else 0)
        first = state.base[c] + state.tokens[c, 1]
        for j in range(tokens):
            state.freed[first + j] = time + tables.channel[c, 1]
        state.tokens[c, 1] += tokens
        state.awake[tables.channel[c, 3]] = 1
    for g in range(tables.gives[p], tables.gives[p + 1]):
        c, at = tables.give[g, 0], tables.give[g, 1] + index
        tokens = tables.given[at] - (tables.given[at - 1] if index else 0)
        first = state.base[c] + state.tokens[c, 0]
        for j in range(tokens):
            state.ready[first + j] = time + tables.give[g, 3] + j
        state.tokens[c, 0] += tokens
        state.awake[tables.channel[c, 4]] = 1


@numba.njit(cache=True)
def run(tables: Tables, state: State, p: int, frames: int) -> bool:
    """Fire a process's events until something is missing; tell whether there were any."""
    frame, index, time, slot = state.process[p]
    start, count = tables.events[p], tables.events[p + 1] - tables.events[p]
    moved = False
    while frame < frames:
        at = tables.at[start + index]
        found = earliest(tables, state, p, frame, index, time + at - slot)
        if found < 0:
            break
        moved, time, slot = True, found, at
        if index == 0:
            state.first[p] = time
        fire(tables, state, p, index, time)
        index += 1
        if index == count:
            frame, index, slot = frame + 1, 0, slot - tables.slots[p]
    state.process[p, 0], state.process[p, 1] = frame, index
    state.process[p, 2], state.process[p, 3] = time, slot
    return moved


@numba.njit(cache=True)
def run_regular(tables: Tables, state: State, p: int, frames: int) -> bool:
    """Do what `run` does for a process with an event at every slot."""
    frame, index, time = state.process[p, 0], state.process[p, 1], state.process[p, 2]
    count, takes, gives = tables.slots[p], tables.every[p, 0], tables.every[p, 1]
    started = frame * count + index
    while frame < frames:
        found = time + 1
        if index % takes == 0:
            found = taken_at(tables, state, p, frame * (count // takes) + index // takes, found)
        giving = (index + 1) % gives == 0
        if giving and found >= 0:
            found = given_at(tables, state, p, frame * (count // gives) + index // gives, found)
        if found < 0:
            break
        time = found
        if index == 0:
            state.first[p] = time
        if (index + 1) % takes == 0:
            release(tables, state, p, time)
        if giving:
            give(tables, state, p, time)
        index += 1
        if index == count:
            frame, index = frame + 1, 0
    state.process[p, 0], state.process[p, 1] = frame, index
    state.process[p, 2], state.process[p, 3] = time, index - 1
    return frame * count + index > started


@numba.njit(cache=True, inline="always")
def taken_at(tables: Tables, state: State, p: int, token: int, time: int) -> int:
    """Return when a token of each input is there, at `time` at best, or -1 while that is open."""
    for t in range(tables.takes[p], tables.takes[p + 1]):
        c = tables.take[t, 0]
        if not tables.channel[c, 2]:
            if token >= state.tokens[c, 0]:
                return -1
            time = max(time, state.ready[state.base[c] + token])
    return time


@numba.njit(cache=True, inline="always")
def given_at(tables: Tables, state: State, p: int, token: int, time: int) -> int:
    """Return when each output has room for a token, at `time` at best, or -1 while it is open."""
    for g in range(tables.gives[p], tables.gives[p + 1]):
        c = tables.give[g, 0]
        place = token - tables.channel[c, 0]
        if tables.channel[c, 0] >= 0 and place >= 0:
            if place >= state.tokens[c, 1]:
                return -1
            time = max(time, state.freed[state.base[c] + place])
    return time


@numba.njit(cache=True, inline="always")
def release(tables: Tables, state: State, p: int, time: int) -> None:
    """Give a token of each input back."""
    for t in range(tables.takes[p], tables.takes[p + 1]):
        c = tables.take[t, 0]
        state.freed[state.base[c] + state.tokens[c, 1]] = time + tables.channel[c, 1]
        state.tokens[c, 1] += 1
        state.awake[tables.channel[c, 3]] = 1


@numba.njit(cache=True, inline="always")
def give(tables: Tables, state: State, p: int, time: int) -> None:
    """Give a token to each output."""
    for g in range(tables.gives[p], tables.gives[p + 1]):
        c = tables.give[g, 0]
        state.ready[state.base[c] + state.tokens[c, 0]] = time + tables.give[g, 3]
        state.tokens[c, 0] += 1
        state.awake[tables.channel[c, 4]] = 1


@numba.njit(cache=True)
def advance(tables: Tables, state: State, frames: int) -> bool:
    """Fire every event of the first `frames` frames; False where processes wait for ever."""
    state.awake[:] = 1
    moved = True
    while moved:
        moved = False
        for p in range(len(tables.slots)):
            if state.awake[p]:
                state.awake[p] = 0
                if tables.every[p, 0]:
                    moved |= run_regular(tables, state, p, frames)
                else:
                    moved |= run(tables, state, p, frames)
    return bool((state.process[:, 0] == frames).all())


@numba.njit(cache=True)
def distance(tokens: Numbers, state: State, frames: int) -> int:
    """Return by how much all tokens of the last frame follow those before it, -1 where not alike.

    That of every event follows from these: an event is as late as the tokens it waits for, or
    comes after another of its process that gives or releases one.
    """
    step = -1
    for c in range(len(tokens)):
        count, first = tokens[c], state.base[c] + (frames - 1) * tokens[c]
        for times, held in ((state.ready, state.tokens[c, 0]), (state.freed, state.tokens[c, 1])):
            if held < frames * count:
                continue
            for i in range(first, first + count):
                found = times[i] - times[i - count]
                if step == -1:
                    step = found
                elif step != found:
                    return -1
    return step


@dataclass
class Followed:
    """A wiring followed so far: `frames` of them, the last `repeats` each `step` cycles apart.

    Only `timing.follow` makes one.
    """

    wiring: Wiring
    tables: Tables
    state: State
    channels: Mapping[str, int]
    room: int
    frames: int = 0
    step: int = 0
    repeats: int = 0

    @classmethod
    def of(cls, wiring: Wiring) -> Followed:
        """Lay a wiring out in arrays."""
        names = [*wiring.capacities]
        names += [n for n in (*wiring.sources, *wiring.sinks) if n not in wiring.capacities]
        channels = {name: index for index, name in enumerate(names)}
        tables = _tables(wiring, channels)
        return cls(wiring, tables, _start(tables, FIRST_FRAMES), channels, FIRST_FRAMES)

    def next_frame(self) -> bool:
        """Follow one frame more; False where the processes wait for each other for ever."""
        if self.frames == self.room:
            self.room *= 2
            self.state = _grown(self.tables, self.state, self.room)
        self.frames += 1
        if not advance(self.tables, self.state, self.frames):
            return False
        step = -1 if self.frames == 1 else int(distance(self.tokens, self.state, self.frames))
        self.repeats = 0 if step < 0 else 1 + (self.repeats if step == self.step else 0)
        self.step = step
        return True

    @cached_property
    def tokens(self) -> Numbers:
        """Tokens of a frame, by channel."""
        return _tokens(self.tables)

    def frames_deep(self) -> int:
        """Return how many frames back an event can depend on a token."""
        capacity, give = self.tables.channel[:, 0], self.tables.give
        deep = -(-np.maximum(capacity[give[:, 0]], 0) // give[:, 2])
        return int(deep.max(initial=0))

    def times(self) -> list[FrameTime]:
        """Return when each frame passed, at the first source and the first sink."""
        (source, a), (sink, b) = (
            next(iter(self.wiring.sources.items())),
            next(iter(self.wiring.sinks.items())),
        )
        taken, given = self._freed(source), self._ready(sink)
        return [
            FrameTime(int(taken[f * a]) - 1, int(given[f * b]), int(given[(f + 1) * b - 1]))
            for f in range(self.frames)
        ]

    def spans(self) -> list[Span]:
        """Return when each process had its first and last event of the frame followed last."""
        ends = zip(self.state.first.tolist(), self.state.process[:, 2].tolist(), strict=True)
        return [Span(first, last) for first, last in ends]

    def peak(self, name: str) -> int:
        """Return the most tokens of a channel that were ready and not yet released at one time."""
        ready, freed = self._ready(name), self._freed(name)
        held = np.arange(1, len(ready) + 1) - np.searchsorted(freed, ready, side="right")
        return int(held.max(initial=0))

    def _ready(self, name: str) -> Numbers:
        c = self.channels[name]
        return self.state.ready[self.state.base[c] :][: self.state.tokens[c, 0]]

    def _freed(self, name: str) -> Numbers:
        c = self.channels[name]
        return self.state.freed[self.state.base[c] :][: self.state.tokens[c, 1]]


def _tables(wiring: Wiring, channels: Mapping[str, int]) -> Tables:
    events = [(_events(process), names) for process, names in wiring.processes]
    every = [
        (process.take_every, process.give_every) if isinstance(process, Beats) else (0, 0)
        for process, _ in wiring.processes
    ]
    takes = [
        (channels[names[port]], take.need, take.release)
        for found, names in events
        for port, take in found.takes.items()
    ]
    gives = [
        (channels[names[port]], give.reserve, give.count, give.latency)
        for found, names in events
        for port, give in found.gives.items()
    ]
    take_starts = _starts([len(need) for _, need, _ in takes])
    give_starts = _starts([len(reserve) for _, reserve, _, _ in gives])
    rows = np.full((len(channels), 5), (-1, 1, 0, 0, 0), dtype=np.int64)
    for name, capacity in wiring.capacities.items():
        rows[channels[name], :2] = capacity.tokens, capacity.delay
    for name in wiring.sinks:
        rows[channels[name], :2] = -1, 1
    for name in wiring.sources:
        rows[channels[name], :3] = -1, 1, 1
    for index, (found, names) in enumerate(events):
        for port in found.gives:
            rows[channels[names[port]], 3] = index
        for port in found.takes:
            rows[channels[names[port]], 4] = index
    return Tables(
        at=_joined([found.at for found, _ in events]),
        slots=np.array([process.slots for process, _ in wiring.processes], dtype=np.int64),
        events=_starts([len(found.at) for found, _ in events]),
        takes=_starts([len(found.takes) for found, _ in events]),
        take=_rows(
            [
                (c, at, release[-1])
                for (c, _, release), at in zip(takes, take_starts[:-1], strict=True)
            ],
            3,
        ),
        need=_joined([need for _, need, _ in takes]),
        release=_joined([release for _, _, release in takes]),
        gives=_starts([len(found.gives) for found, _ in events]),
        give=_rows(
            [
                (c, at, count[-1], latency)
                for (c, _, count, latency), at in zip(gives, give_starts[:-1], strict=True)
            ],
            4,
        ),
        reserve=_joined([reserve for _, reserve, _, _ in gives]),
        given=_joined([count for _, _, count, _ in gives]),
        channel=rows,
        every=_rows(every, 2),
    )


@lru_cache(maxsize=KEPT_PROCESSES)
def _events(process: Process) -> Events:
    """Return a process's events as arrays; of a regular one only the last."""
    found = process.events()
    if isinstance(process, Beats):
        found = _last(found)
    return Events(
        _numbers(found.at),
        {
            n: replace(t, need=_numbers(t.need), release=_numbers(t.release))
            for n, t in found.takes.items()
        },
        {
            n: replace(g, reserve=_numbers(g.reserve), count=_numbers(g.count))
            for n, g in found.gives.items()
        },
    )


def _last(events: Events) -> Events:
    return Events(
        events.at[-1:],
        {n: replace(t, need=t.need[-1:], release=t.release[-1:]) for n, t in events.takes.items()},
        {
            n: replace(g, reserve=g.reserve[-1:], count=g.count[-1:])
            for n, g in events.gives.items()
        },
    )


def _start(tables: Tables, frames: int) -> State:
    """Return the state before the first cycle, with room for so many frames."""
    processes = len(tables.slots)
    process = np.zeros((processes, 4), dtype=np.int64)
    process[:, 2:] = -1
    base = _bases(tables, frames)
    return State(
        process,
        np.zeros((len(tables.channel), 2), dtype=np.int64),
        base,
        np.zeros(base[-1], dtype=np.int64),
        np.zeros(base[-1], dtype=np.int64),
        np.ones(processes, dtype=np.int64),
        np.zeros(processes, dtype=np.int64),
    )


def _bases(tables: Tables, frames: int) -> Numbers:
    """Return where the tokens of each channel start, and behind them all their number."""
    return _starts(_tokens(tables) * frames)


def _tokens(tables: Tables) -> Numbers:
    """Return how many tokens of each channel a frame has."""
    tokens = np.zeros(len(tables.channel), dtype=np.int64)
    for rows in (tables.take, tables.give):
        np.maximum.at(tokens, rows[:, 0], rows[:, 2])
    return tokens


def _grown(tables: Tables, state: State, frames: int) -> State:
    """Return the same state with room for more frames."""
    base = _bases(tables, frames)
    times = []
    for old, column in ((state.ready, 0), (state.freed, 1)):
        new = np.zeros(base[-1], dtype=np.int64)
        for c, count in enumerate(state.tokens[:, column]):
            new[base[c] : base[c] + count] = old[state.base[c] : state.base[c] + count]
        times.append(new)
    return state._replace(base=base, ready=times[0], freed=times[1])


def _starts(lengths: Sequence[int] | Numbers) -> Numbers:
    return np.concatenate(([0], np.cumsum(np.asarray(lengths, dtype=np.int64))))


def _numbers(values: Counts) -> Numbers:
    return np.asarray(values, dtype=np.int64)


def _joined(parts: Sequence[Counts]) -> Numbers:
    return np.concatenate([np.zeros(0, dtype=np.int64), *map(_numbers, parts)])


def _rows(rows: Sequence[tuple[int, ...]], width: int) -> Numbers:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
