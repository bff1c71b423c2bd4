# SPDX-License-Identifier: Apache-2.0
"""The FIFO behind every unit is deep enough never to slow it down."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.stream_fifo import RETURN_LATENCY, SHALLOW, fifo_depth, fifo_resources
from intaglio.hw.timing import Capacity, Events, Give, Process, Take, Wiring, follow


@dataclass(frozen=True)
class Windows(Process):
    """Windows of some slots, each of which gives a burst of beats at its end."""

    count: int
    window: int
    burst: int
    latency: int

    @property
    def slots(self) -> int:
        return self.count * self.window

    def events(self) -> Events:
        ends = range(self.window - 1, self.slots, self.window)
        given = [(i + 1) * self.burst for i in range(self.count)]
        taken = range(1, self.count + 1)
        return Events(
            ends, {"in": Take(taken, taken)}, {"out": Give(given, given, self.latency + 1)}
        )


@dataclass(frozen=True)
class Drain(Process):
    """Takes a beat a cycle, as the fastest reader does."""

    count: int

    @property
    def slots(self) -> int:
        return self.count

    def events(self) -> Events:
        every = range(1, self.count + 1)
        return Events(
            range(self.count), {"out": Take(every, every)}, {"end": Give(every, every, 1)}
        )


@given(st.integers(1, 20), st.integers(1, 70), st.integers(1, 70), st.integers(1, 20))
def test_a_unit_that_is_read_at_once_never_waits_for_its_fifo(
    count: int, window: int, burst: int, latency: int
) -> None:
    burst = min(burst, window)
    unit = Windows(count, window, burst, latency)
    names = {"in": "in", "out": "out", "end": "end"}
    depth = fifo_depth(latency, burst)
    wiring = Wiring(
        [(unit, names), (Drain(count * burst), names)],
        {"out": Capacity(depth, RETURN_LATENCY)},
        {"in": count},
        {"end": count * burst},
    )
    assert follow(wiring, 12).interval == unit.slots
    assert depth >= 2 * burst
    assert depth & (depth - 1) == 0


def test_a_shallow_fifo_costs_the_same_at_any_depth() -> None:
    assert fifo_depth(1) == SHALLOW
    assert fifo_resources(8, 2).lut <= fifo_resources(8, SHALLOW).lut < fifo_resources(8, 64).lut
