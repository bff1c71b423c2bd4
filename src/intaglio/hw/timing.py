# SPDX-License-Identifier: Apache-2.0
"""Exact timing of stream units, without simulating them.

Every unit here works off a fixed list of slots, one a cycle at most, and waits only where a slot
needs a token (a beat of a stream, a row of a buffer) that is not there, or room for one that it
makes. When tokens come never depends on data. So the time of every event is the largest of a few
earlier times plus a constant, and following those sums gives the RTL's cycles to the cycle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from intaglio.errors import VerificationError


@dataclass(frozen=True)
class Take:
    """What the events of one frame take from a channel; counts are cumulative within the frame.

    At an event, `need` tokens must have come; after it, `release` tokens are given back.
    """

    need: Sequence[int]
    release: Sequence[int]


@dataclass(frozen=True)
class Give:
    """What the events of one frame give to a channel; counts are cumulative within the frame.

    At an event, `reserve` tokens must have room; with it, `count` tokens have been given. A token
    can be taken `latency` cycles after its event, tokens of one event following a cycle apart.
    """

    reserve: Sequence[int]
    count: Sequence[int]
    latency: int


@dataclass(frozen=True)
class Events:
    """The slots of a frame at which something is taken or given, by channel name."""

    at: Sequence[int]
    takes: Mapping[str, Take] = field(default_factory=dict)
    gives: Mapping[str, Give] = field(default_factory=dict)


class Process(ABC):
    """One sequence of slots inside a unit."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """Slots of a frame: the fewest cycles a frame can take."""

    @abstractmethod
    def events(self) -> Events:
        """Return where the process waits and what it moves, for one frame."""


@dataclass(frozen=True)
class Beats(Process):
    """A slot a beat of the finer side.

    Takes one beat of each input every `take_every` slots, which must be there from the first of
    them on, and gives one every `give_every`.
    """

    count: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    latency: int
    take_every: int = 1
    give_every: int = 1

    @property
    def slots(self) -> int:
        """One a beat of the finer side."""
        return self.count

    def events(self) -> Events:
        """Take, and give, at regular slots."""
        slots = range(self.count)
        take = Take(
            [slot // self.take_every + 1 for slot in slots],
            [(slot + 1) // self.take_every for slot in slots],
        )
        given = [(slot + 1) // self.give_every for slot in slots]
        give = Give(given, given, self.latency)
        return Events(slots, dict.fromkeys(self.inputs, take), dict.fromkeys(self.outputs, give))


@dataclass(frozen=True, slots=True)
class Capacity:
    """Room of a channel in tokens, and how long a place given back takes to be free again."""

    tokens: int
    delay: int


@dataclass
class _Channel:
    """Tokens in flight: when each can be taken, and when each place is free again."""

    capacity: int | None
    delay: int
    ready: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)


@dataclass
class _Runner:
    """A process in the middle of its slots."""

    events: Events
    slots: int
    takes: list[tuple[_Channel, Sequence[int], Sequence[int]]]
    gives: list[tuple[_Channel, Sequence[int], Sequence[int], int]]
    frame: int = 0
    index: int = 0
    time: int = -1
    slot: int = -1
    history: list[list[int]] = field(default_factory=list)

    def advance(self, frames: int) -> bool:
        """Run until something is missing; tell whether anything happened."""
        moved = False
        while self.frame < frames:
            time = self._earliest()
            if time is None:
                return moved
            self._fire(time)
            moved = True
        return moved

    def _earliest(self) -> int | None:
        index, frame = self.index, self.frame
        time = self.time + self.events.at[index] - self.slot
        for channel, need, release in self.takes:
            wanted = frame * release[-1] + need[index]
            if wanted > len(channel.ready):
                return None
            if wanted and channel.ready[wanted - 1] > time:
                time = channel.ready[wanted - 1]
        for channel, reserve, count, _ in self.gives:
            if channel.capacity is None:
                continue
            place = frame * count[-1] + reserve[index] - channel.capacity
            if place > len(channel.freed):
                return None
            if place > 0 and channel.freed[place - 1] > time:
                time = channel.freed[place - 1]
        return time

    def _fire(self, time: int) -> None:
        index = self.index
        for channel, _, release in self.takes:
            tokens = release[index] - (release[index - 1] if index else 0)
            channel.freed.extend([time + channel.delay] * tokens)
        for channel, _, count, latency in self.gives:
            tokens = count[index] - (count[index - 1] if index else 0)
            channel.ready.extend(range(time + latency, time + latency + tokens))
        if index == 0:
            self.history.append([])
        self.history[-1].append(time)
        self.time, self.slot = time, self.events.at[index]
        self.index += 1
        if self.index == len(self.events.at):
            self.index, self.frame, self.slot = 0, self.frame + 1, self.slot - self.slots


@dataclass(frozen=True)
class Wiring:
    """Processes and the channels between them.

    `processes` pairs each process with the global name of each of its channels. `capacities` bounds
    those inside; `sources` are fed without end, `sinks` are emptied at once; both come with their
    tokens a frame. Frames are timed at the first source and the first sink.
    """

    processes: Sequence[tuple[Process, Mapping[str, str]]]
    capacities: Mapping[str, Capacity]
    sources: Mapping[str, int]
    sinks: Mapping[str, int]


@dataclass(frozen=True)
class FrameTime:
    """Cycles, counted from the end of reset, at which a frame goes in and comes out."""

    first_in: int
    first_out: int
    last_out: int

    @property
    def latency(self) -> int:
        """Cycles from the first beat in to the last beat out."""
        return self.last_out - self.first_in


@dataclass(frozen=True)
class Timing:
    """When each frame passes, and how full each bounded channel got."""

    frames: tuple[FrameTime, ...]
    peaks: Mapping[str, int]

    @property
    def interval(self) -> int:
        """Cycles between the last two frames' ends."""
        if len(self.frames) < 2:
            return self.frames[0].latency
        return self.frames[-1].last_out - self.frames[-2].last_out


def follow(wiring: Wiring, frames: int) -> Timing:
    """Return when each of `frames` back-to-back frames passes.

    Exactness: equal to the RTL in simulation, to the cycle. Frames behind the point where all
    events repeat at a fixed distance are not followed one by one but continued.

    Raises:
        VerificationError: the processes wait for each other for ever.
    """
    channels = {name: _Channel(c.tokens, c.delay) for name, c in wiring.capacities.items()}
    channels |= {name: _Channel(None, 1) for name in (*wiring.sources, *wiring.sinks)}
    runners = [_runner(process, names, channels) for process, names in wiring.processes]
    lookback = 3 + max((_frames_deep(runner) for runner in runners), default=1)
    done, step = 0, 0
    while done < frames and not step:
        done += 1
        for name, beats in wiring.sources.items():
            channels[name].ready.extend([0] * beats)
        while sum(runner.advance(done) for runner in runners):
            pass
        if any(runner.frame < done for runner in runners):
            raise VerificationError("the units of a design must not wait for each other for ever")
        step = _period(runners, lookback)
    times = _frame_times(wiring, channels, done)
    while len(times) < frames:
        last = times[-1]
        times.append(FrameTime(last.first_in + step, last.first_out + step, last.last_out + step))
    peaks = {name: _peak(channel) for name, channel in channels.items()}
    return Timing(tuple(times), peaks)


def _runner(
    process: Process, names: Mapping[str, str], channels: Mapping[str, _Channel]
) -> _Runner:
    events = process.events()
    takes = [(channels[names[n]], take.need, take.release) for n, take in events.takes.items()]
    gives = [
        (channels[names[n]], give.reserve, give.count, give.latency)
        for n, give in events.gives.items()
    ]
    return _Runner(events, process.slots, takes, gives)


def _frames_deep(runner: _Runner) -> int:
    """How many frames back an event can depend on a token."""
    return max(
        (-(-(channel.capacity or 0) // count[-1]) for channel, _, count, _ in runner.gives),
        default=0,
    )


def _period(runners: Sequence[_Runner], lookback: int) -> int:
    """Return the distance of frames once all events of the last `lookback` repeat, else 0."""
    steps: set[int] = set()
    for runner in runners:
        if len(runner.history) <= lookback:
            return 0
        recent = runner.history[-lookback - 1 :]
        for before, after in pairwise(recent):
            steps.update(b - a for a, b in zip(before, after, strict=True))
            if len(steps) > 1:
                return 0
    return steps.pop()


def _frame_times(wiring: Wiring, channels: Mapping[str, _Channel], frames: int) -> list[FrameTime]:
    (source, a), (sink, b) = next(iter(wiring.sources.items())), next(iter(wiring.sinks.items()))
    taken, given = channels[source].freed, channels[sink].ready
    return [
        FrameTime(taken[f * a] - 1, given[f * b], given[(f + 1) * b - 1]) for f in range(frames)
    ]


def _peak(channel: _Channel) -> int:
    """The most tokens that were ready and not yet released at one time."""
    peak, released = 0, 0
    for count, time in enumerate(channel.ready, 1):
        while released < len(channel.freed) and channel.freed[released] <= time:
            released += 1
        peak = max(peak, count - released)
    return peak
