# SPDX-License-Identifier: Apache-2.0
"""Two streams in turns as a unit (`stream_concat.sv`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1


@dataclass(frozen=True)
class ConcatProcess(Process):
    """A slot a beat: `beats[0]` of stream a, then `beats[1]` of stream b, `turns` times a frame."""

    turns: int
    beats: tuple[int, int]

    @property
    def slots(self) -> int:
        """One a beat that goes out."""
        return self.turns * sum(self.beats)

    def events(self) -> Events:
        """Give at every slot; take from one stream."""
        taken: tuple[list[int], list[int]] = ([], [])
        turn = [0] * self.beats[0] + [1] * self.beats[1]
        counts = [0, 0]
        for side in turn * self.turns:
            counts[side] += 1
            for list_, count in zip(taken, counts, strict=True):
                list_.append(count)
        given = range(1, self.slots + 1)
        # A slot that takes nothing from a stream needs only what was taken before it.
        takes = {port: Take(t, t) for port, t in zip(("a", "b"), taken, strict=True)}
        return Events(range(self.slots), takes, {"out": Give(given, given, LATENCY + 1)})


def stream_concat(a: TensorType, b: TensorType, y: TensorType, axis: int, lanes: int) -> Unit:
    """Return the unit that puts two frames one behind the other along an axis."""
    out = stream(y, lanes)
    turns = math.prod(a.shape[:axis])
    beats = (a.size // turns // lanes, b.size // turns // lanes)
    depth = fifo_depth(LATENCY)
    parameters = {
        "WidthA": a.integer.width,
        "SignedA": int(a.integer.signed),
        "WidthB": b.integer.width,
        "SignedB": int(b.integer.signed),
        "Lanes": lanes,
        "BeatsA": beats[0],
        "BeatsB": beats[1],
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    counters = sum((count - 1).bit_length() for count in beats)
    return Unit(
        "stream_concat",
        ("loop_counter", "stream_fifo", "stream_concat"),
        parameters,
        {"a": stream(a, lanes), "b": stream(b, lanes)},
        {"out": out},
        (ConcatProcess(turns, beats),),
        Resources(lut=out.width + 2 * counters + 8, ff=out.width + counters + 4)
        + fifo_resources(out.width, depth),
    )
