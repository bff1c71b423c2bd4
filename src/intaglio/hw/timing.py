# SPDX-License-Identifier: Apache-2.0
"""Exact timing of stream units, without simulating them.

Every unit here works off a fixed list of slots, one a cycle at most, and waits only where a slot
needs a token (a beat of a stream, a row of a buffer) that is not there, or room for one that it
makes. When tokens come never depends on data. So the time of every event is the largest of a few
earlier times plus a constant, and following those sums gives the RTL's cycles to the cycle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from intaglio.errors import VerificationError

#: One number an event: a sequence or an array.
Counts = Sequence[int] | np.ndarray


@dataclass(frozen=True)
class Take:
    """What the events of one frame take from a channel; counts are cumulative within the frame.

    At an event, `need` tokens must have come; after it, `release` tokens are given back.
    """

    need: Counts
    release: Counts


@dataclass(frozen=True)
class Give:
    """What the events of one frame give to a channel; counts are cumulative within the frame.

    At an event, `reserve` tokens must have room; with it, `count` tokens have been given. A token
    can be taken `latency` cycles after its event, tokens of one event following a cycle apart.
    """

    reserve: Counts
    count: Counts
    latency: int


@dataclass(frozen=True)
class Events:
    """The slots of a frame at which something is taken or given, by channel name."""

    at: Counts
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
        slots = np.arange(self.count)
        take = Take(slots // self.take_every + 1, (slots + 1) // self.take_every)
        given = (slots + 1) // self.give_every
        give = Give(given, given, self.latency)
        return Events(slots, dict.fromkeys(self.inputs, take), dict.fromkeys(self.outputs, give))


@dataclass(frozen=True, slots=True)
class Capacity:
    """Room of a channel in tokens, and how long a place given back takes to be free again."""

    tokens: int
    delay: int


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
    """When each frame passes, and how full each bounded channel got.

    `peak` tells the latter, by channel; it is asked only for what is wanted, as it takes a while.
    """

    frames: tuple[FrameTime, ...]
    channels: tuple[str, ...]
    peak: Callable[[str], int] = field(repr=False, compare=False)

    @property
    def peaks(self) -> Mapping[str, int]:
        """The most tokens each channel held that were ready and not yet released."""
        return {name: self.peak(name) for name in self.channels}

    @property
    def interval(self) -> int:
        """Cycles between the last two frames' ends."""
        if len(self.frames) < 2:
            return self.frames[0].latency
        return self.frames[-1].last_out - self.frames[-2].last_out


#: Frames alike, beyond those an event can look back on, after which all frames are alike.
REPEATS = 1


def follow(wiring: Wiring, frames: int) -> Timing:
    """Return when each of `frames` back-to-back frames passes.

    Exactness: equal to the RTL in simulation, to the cycle. Frames behind the point where all
    events repeat at a fixed distance are not followed one by one but continued.

    Raises:
        VerificationError: the processes wait for each other for ever.
    """
    from intaglio.hw.following import Followed

    followed = Followed.of(wiring)
    enough = REPEATS + followed.frames_deep()
    while followed.frames < frames and followed.repeats < enough:
        if not followed.next_frame():
            raise VerificationError("the units of a design must not wait for each other for ever")
    times, step = followed.times(), followed.step
    while len(times) < frames:
        last = times[-1]
        times.append(FrameTime(last.first_in + step, last.first_out + step, last.last_out + step))
    return Timing(tuple(times), tuple(wiring.capacities), followed.peak)
