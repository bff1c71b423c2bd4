# SPDX-License-Identifier: Apache-2.0
"""Whether a wiring can repeat itself every so many cycles, decided on the events of one frame.

In a schedule that repeats, an event is so many cycles later in each frame than in the one before.
So the times of one frame are enough, and each event is tied to a few others: it comes some cycles
after them, or after what they were some frames ago. Times that keep all these ties exist unless
some ties form a circle that takes longer than its frames; then no frame rate is that high.

Times are raised until all ties are kept. Any times will do to begin with, so those found last are
taken: after a small change of room only what it moves is looked at again. Each event remembers what
raised it last; where these reasons go round in a circle, that circle takes too long.

Source: Baccelli, Cohen, Olsder, Quadrat, "Synchronization and Linearity", 1992, chapter 3, for the
cycle time of an event graph; Cherkassky, Goldberg, "Negative-cycle detection algorithms", 1999, for
circles of reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np

from intaglio.hw.timing import Counts, Process, Wiring

Numbers = np.ndarray
#: Reasons of an event's time that are no tie: none, and the event before it in its process.
UNMOVED, BEFORE = -2, -1
#: Processes whose events are kept. A design has a few dozen, and is asked about again and again.
KEPT_PROCESSES = 512


class Ties(NamedTuple):
    """What holds events back. Events, and the ties of each, lie one process after the other.

    `events` and `ties` hold where those of each process start; all events of a process have the
    same number of ties. A tie holds an event `cycles` after event `other` of `frames` frames
    before. Besides, an event comes `step` cycles after the event `before` it in its process.
    `wakes` holds the processes that those of process p can hold back, from `waking[p]` on.
    """

    events: Numbers
    ties: Numbers
    other: Numbers
    cycles: Numbers
    frames: Numbers
    before: Numbers
    step: Numbers
    waking: Numbers
    wakes: Numbers


class Circle(NamedTuple):
    """Ties that lead back to where they start: the cycles they take, and in how many frames."""

    cycles: int
    frames: int


@numba.njit(cache=True)
def raised(ties: Ties, times: Numbers, reasons: Numbers, p: int, interval: int) -> int:
    """Raise a process's events until its ties are kept; the last one raised, or -1."""
    first, end = ties.events[p], ties.events[p + 1]
    count = (ties.ties[p + 1] - ties.ties[p]) // (end - first)
    tie, last = ties.ties[p], -1
    time = times[end - 1] - interval
    for event in range(first, end):
        reason = UNMOVED
        time += ties.step[event]
        if time > times[event]:
            reason = BEFORE
        else:
            time = times[event]
        for _ in range(count):
            found = times[ties.other[tie]] + ties.cycles[tie] - interval * ties.frames[tie]
            if found > time:
                time, reason = found, tie
            tie += 1
        if reason != UNMOVED:
            times[event], reasons[event], last = time, reason, event
    return last


@numba.njit(cache=True)
def circular(ties: Ties, reasons: Numbers, event: int, seen: Numbers, mark: int) -> int:
    """Follow reasons back from an event; an event on a circle of them, or -1."""
    while seen[event] != mark:
        seen[event] = mark
        reason = reasons[event]
        if reason == UNMOVED:
            return -1
        event = ties.before[event] if reason == BEFORE else ties.other[reason]
    return event


@numba.njit(cache=True)
def settle(ties: Ties, times: Numbers, reasons: Numbers, awake: Numbers, interval: int) -> int:
    """Raise events until all ties are kept; -1, or an event on a circle that takes too long."""
    seen = np.zeros(len(times), dtype=np.int64)
    mark = 0
    while True:
        moved = -1
        for p in range(len(awake)):
            if not awake[p]:
                continue
            awake[p] = False
            last = raised(ties, times, reasons, p, interval)
            if last >= 0:
                moved = last
                awake[p] = last == ties.events[p + 1] - 1
                for w in range(ties.waking[p], ties.waking[p + 1]):
                    awake[ties.wakes[w]] = True
        if moved < 0:
            return -1
        mark += 1
        found = circular(ties, reasons, moved, seen, mark)
        if found >= 0:
            return int(found)


@numba.njit(cache=True)
def measured(ties: Ties, reasons: Numbers, start: int) -> tuple[int, int]:
    """Return the cycles and frames of the circle of reasons through an event."""
    cycles, frames, event = 0, 0, start
    while True:
        reason = reasons[event]
        if reason == BEFORE:
            cycles += ties.step[event]
            frames += ties.before[event] >= event
            event = ties.before[event]
        else:
            cycles += ties.cycles[reason]
            frames += ties.frames[reason]
            event = ties.other[reason]
        if event == start:
            return cycles, frames


@dataclass(frozen=True)
class _Moves:
    """What a process waits for, and moves, in one frame.

    `step` is as in `Ties`, `need` and `reserve` as in `Take` and `Give`, by port. `released` and
    `given` hold the event that each token goes and comes with, which is there `late` cycles after.
    """

    step: Numbers
    need: Mapping[str, Numbers]
    released: Mapping[str, Numbers]
    reserve: Mapping[str, Numbers]
    given: Mapping[str, Numbers]
    late: Mapping[str, Numbers]


@dataclass(frozen=True)
class _Channel:
    """A channel from one process to another: events of a frame's tokens, as in `_Moves`.

    A place is free `delay` cycles after its token is released; `room` is None without a bound.
    """

    giver: int
    taker: int
    given: Numbers
    late: Numbers
    released: Numbers
    room: int | None
    delay: int


@dataclass(frozen=True)
class _Room:
    """Where the ties of a channel's giver to room are, and how many tokens each event fills."""

    channel: _Channel
    at: slice
    reserve: Numbers


@dataclass
class Repeating:
    """A wiring, and times of one frame's events that repeat every `interval` cycles.

    `own` is the room of the wiring's channels, `held` the one that these times are for, and `laid`
    the one that `ties` are for. For interval 0 nothing is held.
    """

    ties: Ties
    rooms: Mapping[str, _Room]
    own: Mapping[str, int]
    times: Numbers
    laid: dict[str, int]
    interval: int = 0
    held: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, wiring: Wiring) -> Repeating:
        """Lay a wiring out in arrays."""
        ties, rooms = _laid_out(wiring)
        own = {name: wiring.capacities[name].tokens for name in rooms}
        return cls(ties, rooms, own, np.zeros(len(ties.step), dtype=np.int64), dict(own))

    def keeps(self, interval: int, room: Mapping[str, int]) -> bool:
        """Tell whether frames can follow each other every `interval` cycles.

        Args:
            interval: in cycles, at least 1.
            room: tokens of channels, where these are not the wiring's.
        """
        return self._circle(interval, room) is None

    def least_interval(self, interval: int, room: Mapping[str, int]) -> int | None:
        """Return the least interval from the given one up that is kept, or None if none is."""
        while (circle := self._circle(interval, room)) is not None:
            if circle.frames <= 0:
                return None
            interval = -(-circle.cycles // circle.frames)
        return interval

    def _circle(self, interval: int, room: Mapping[str, int]) -> Circle | None:
        """Return a circle that takes longer than its frames, or None and hold the times found."""
        wanted = {**self.own, **room}
        awake = np.full(len(self.ties.waking) - 1, interval != self.interval)
        for name, tokens in wanted.items():
            if self.laid[name] != tokens:
                self._lay(name, tokens)
            if self.held.get(name) != tokens:
                awake[self.rooms[name].channel.giver] = True
        times, reasons = self.times.copy(), np.full(len(self.times), UNMOVED, dtype=np.int64)
        event = settle(self.ties, times, reasons, awake, interval)
        if event >= 0:
            return Circle(*measured(self.ties, reasons, event))
        self.times, self.interval, self.held = times, interval, wanted
        return None

    def _lay(self, name: str, tokens: int) -> None:
        """Tie the giver of a channel to what makes room for so many tokens."""
        room = self.rooms[name]
        other, _, frames = _to_room(room.channel, room.reserve, tokens)
        self.ties.other[room.at], self.ties.frames[room.at] = other, frames
        self.laid[name] = tokens


#: A tie of each event of a process: event it is to, cycles after it, frames before.
Column = tuple[Numbers, Numbers | int, Numbers]
#: A process's moves, and the channel behind each of its ports.
Found = tuple[_Moves, Mapping[str, str]]


def _laid_out(wiring: Wiring) -> tuple[Ties, dict[str, _Room]]:
    """Return the ties of a wiring, those to room not yet laid, and where these are."""
    found = [(_moves(process), names) for process, names in wiring.processes]
    events = _starts([len(moves.step) for moves, _ in found])
    channels = _channels(wiring, found, events)
    columns = [list(_columns(moves, names, channels)) for moves, names in found]
    counts = [len(own) * len(moves.step) for own, (moves, _) in zip(columns, found, strict=True)]
    starts = _starts(counts)
    laid = np.empty((3, starts[-1]), dtype=np.int32)
    rooms: dict[str, _Room] = {}
    for p, own in enumerate(columns):
        for k, (port, column) in enumerate(own):
            at = slice(int(starts[p]) + k, int(starts[p + 1]), len(own))
            for row, values in zip(laid, column, strict=True):
                row[at] = values
            moves, names = found[p]
            if port in moves.reserve:
                rooms[names[port]] = _Room(channels[names[port]], at, moves.reserve[port])
    waking = [_neighbors(p, channels) for p in range(len(found))]
    ties = Ties(
        events,
        starts,
        laid[0],
        laid[1],
        laid[2],
        np.concatenate([np.roll(np.arange(a, b), 1) for a, b in pairwise(events)]),
        np.concatenate([moves.step for moves, _ in found]),
        _starts([len(near) for near in waking]),
        np.array([q for near in waking for q in near], dtype=np.int64),
    )
    return ties, rooms


def _columns(
    moves: _Moves, names: Mapping[str, str], channels: Mapping[str, _Channel]
) -> Iterator[tuple[str, Column]]:
    """Yield one tie of each event of a process, with the port it is for."""
    for port, need in moves.need.items():
        if names[port] in channels:
            yield port, _to_token(channels[names[port]], need)
    for port, reserve in moves.reserve.items():
        channel = channels.get(names[port])
        if channel is not None and channel.room is not None:
            yield port, _to_room(channel, reserve, channel.room)


def _to_token(channel: _Channel, need: Numbers) -> Column:
    """Tie events to the last token that each of them needs."""
    frame, token = np.divmod(need - 1, len(channel.given))
    return channel.given[token], channel.late[token], -frame


def _to_room(channel: _Channel, reserve: Numbers, room: int) -> Column:
    """Tie events to the last token that each of them wants gone, of a channel with such room."""
    frame, token = np.divmod(reserve - room - 1, len(channel.released))
    return channel.released[token], channel.delay, -frame


def _neighbors(p: int, channels: Mapping[str, _Channel]) -> list[int]:
    """Return the processes on the other ends of a process's channels."""
    ends = [(channel.giver, channel.taker) for channel in channels.values()]
    return sorted({b for a, b in ends if a == p} | {a for a, b in ends if b == p})


def _channels(wiring: Wiring, found: Sequence[Found], events: Numbers) -> dict[str, _Channel]:
    """Return the channels that are both given and taken, by name."""
    takers = {names[n]: (p, n) for p, (moves, names) in enumerate(found) for n in moves.need}
    channels = {}
    for giver, (moves, names) in enumerate(found):
        for port, given in moves.given.items():
            name = names[port]
            if name in takers:
                taker, end = takers[name]
                released = found[taker][0].released[end]
                bound = wiring.capacities.get(name)
                channels[name] = _Channel(
                    giver,
                    taker,
                    events[giver] + given,
                    moves.late[port],
                    events[taker] + released,
                    bound.tokens if bound else None,
                    bound.delay if bound else 0,
                )
    return channels


@lru_cache(maxsize=KEPT_PROCESSES)
def _moves(process: Process) -> _Moves:
    events = process.events()
    at = _numbers(events.at)
    given = {port: _tokens(give.count) for port, give in events.gives.items()}
    return _Moves(
        np.diff(at, prepend=at[-1] - process.slots),
        {port: _numbers(take.need) for port, take in events.takes.items()},
        {port: _tokens(take.release)[0] for port, take in events.takes.items()},
        {port: _numbers(give.reserve) for port, give in events.gives.items()},
        {port: event for port, (event, _) in given.items()},
        {port: events.gives[port].latency + place for port, (_, place) in given.items()},
    )


def _tokens(count: Counts) -> tuple[Numbers, Numbers]:
    """Return the event that each token of a frame comes with, and its place among those of it."""
    moved = np.diff(_numbers(count), prepend=0)
    event = np.repeat(np.arange(len(moved), dtype=np.int32), moved)
    return event, np.arange(len(event)) - (np.cumsum(moved) - moved)[event]


def _numbers(values: Counts) -> Numbers:
    return np.asarray(values, dtype=np.int32)


def _starts(lengths: Sequence[int]) -> Numbers:
    return np.concatenate(([0], np.cumsum(np.asarray(lengths, dtype=np.int64))))
