# SPDX-License-Identifier: Apache-2.0
"""Room in streams: the least with which no unit holds another up.

Of two branches that meet again, the one that is short in time has to keep what it makes until the
other is as far. And a unit that pauses, as one that puts a border around an image does between two
images, would stop the unit before it. How much room these need follows from the exact timing; no
design is simulated for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping

import numpy as np

from intaglio.arch.design import Design
from intaglio.errors import InfeasibleError
from intaglio.hw.stream_fifo import SHALLOW
from intaglio.hw.timing import Process

#: Beats beyond which branches are taken to wait for each other for ever.
DEEPEST = 1 << 18
#: Depth that is tried first, for all buffers alike.
FIRST_DEPTH = 16

Build = Callable[[Mapping[str, int]], Design]


def with_least_buffers(build: Build) -> Design:
    """Return the design with the least buffers at the ends of its forks that its interval needs.

    Exactness: with one beat less in any of them the interval would be longer.

    Raises:
        InfeasibleError: the branches wait for each other whatever the buffers' depth.
    """
    bare = build({})
    if not fork_ends(bare):
        return bare
    full = build(dict.fromkeys(fork_ends(bare), 1))
    target = reachable(full, {})
    if target is None:
        raise InfeasibleError(
            f"the branches of a design must meet within {DEEPEST} buffered beats; those of "
            f"{bare.graph.name!r} do not: give the slower branch more lanes"
        )
    return build(least_buffers(build, full, target, {}))


def reachable(full: Design, room: Mapping[str, int]) -> int | None:
    """Return the least interval that buffers can bring a design to, or None if it waits for ever.

    Args:
        full: the design with a buffer wherever one may be.
        room: of other channels, where it is not the design's.
    """
    return full.least_interval({**room, **_common(full, DEEPEST)})


def least_buffers(
    build: Build, full: Design, target: int, room: Mapping[str, int]
) -> dict[str, int]:
    """Return the beats to hold in each place; those that need none are left out.

    Exactness: with one beat less in any of them the interval would be more than the target.

    Args:
        build: makes the design with given buffers.
        full: the design with a buffer wherever one may be.
        target: the interval to keep, which is reachable.
        room: of other channels, where it is not the design's.
    """
    deep = enough(full, target, room)
    depths, held = {end: deep[_store(end)] for end in full.buffers}, full
    places: tuple[str, ...] = ()
    while places != tuple(depths):  # without one of them, beats come earlier: look again
        places = tuple(depths)
        for end in places:
            others = {name: depth for name, depth in depths.items() if name != end}
            bare = build(others)
            if bare.keeps(target, room):
                depths, held = others, bare
            else:
                depths[end] = _least_depth(held, depths, end, target, room)
    return depths


def _least_depth(
    held: Design, depths: Mapping[str, int], end: str, target: int, room: Mapping[str, int]
) -> int:
    """Return the least beats at one place, up to those in `depths`, with all others as there."""
    stores = {_store(name): depth for name, depth in depths.items()}

    def keeps(depth: int) -> bool:
        return held.keeps(target, {**room, **stores, _store(end): depth})

    if depths[end] == 1 or not keeps(depths[end] - 1):
        return depths[end]
    return 1 + bisect_left(range(1, depths[end] - 1), True, key=keeps)


def enough(full: Design, target: int, room: Mapping[str, int]) -> dict[str, int]:
    """Return room for all buffers, alike, with which a target is kept.

    Args:
        full: the design with a buffer wherever one may be.
        target: the interval to keep, which is reachable.
        room: of other channels, where it is not the design's.
    """
    depth = FIRST_DEPTH
    while not full.keeps(target, {**room, **_common(full, depth)}):
        depth *= 2
    return _common(full, depth)


def least_room(design: Design, channel: str, target: int, room: Mapping[str, int]) -> int:
    """Return the least tokens of a channel, from the design's own up to those in `room`.

    With those in `room` the interval is at most `target`, and it stays so.
    """
    own = design.room(channel)
    return own + bisect_left(
        range(own, room[channel]),
        True,
        key=lambda tokens: design.keeps(target, {**room, channel: tokens}),
    )


def _common(full: Design, depth: int) -> dict[str, int]:
    """Return one depth for all buffers."""
    return {_store(end): depth for end in full.buffers}


def fork_ends(design: Design) -> list[str]:
    """Return the names of all ends of forks."""
    forks = [i.name for i in design.instances if i.unit.module == "stream_fork"]
    return [f"{name}.{port}" for name in forks for port in ("a", "b")]


def pausing_ends(design: Design) -> list[str]:
    """Return the names of all streams into units that stop taking for a while, then catch up."""
    return [
        f"{instance.name}.{port}"
        for instance in design.instances
        for port in instance.sources
        if any(_pauses(process, port) for process in instance.unit.processes)
    ]


def _pauses(process: Process, port: str) -> bool:
    """Tell whether beats wait longer than a FIFO lets them, and than they do on average."""
    events = process.events()
    if port not in events.takes:
        return False
    released = np.asarray(events.takes[port].release)
    taken = np.flatnonzero(np.diff(released, prepend=0))
    slots = np.asarray(events.at)[taken]
    longest = np.diff(slots, append=slots[0] + process.slots).max()
    return bool(longest > max(SHALLOW, 2 * process.slots // released[-1]))


def _store(end: str) -> str:
    """Return the channel of the buffer at the end of a fork."""
    return f"{end}.store"
