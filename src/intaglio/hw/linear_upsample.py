# SPDX-License-Identifier: Apache-2.0
"""Linear interpolation along an axis as a unit (`linear_upsample.sv`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.hw.word_ring import BLOCKS, WordRing
from intaglio.ir.types import TensorType

LATENCY = 4


@dataclass(frozen=True)
class InterpolationProcess(Process):
    """A slot an output beat.

    A frame is `lines` lines of `places` places of `words` beats. A place is taken where a line
    starts, or while the odd place before it is made.
    """

    lines: int
    places: int
    words: int

    @property
    def slots(self) -> int:
        """One a beat that goes out."""
        return 2 * self.lines * self.places * self.words

    def events(self) -> Events:
        """Give at every slot, take where a place comes in."""
        taken, count = [], 0
        for slot in range(self.slots):
            phase = slot // self.words % (2 * self.places)
            count += phase == 0 or (phase % 2 == 1 and phase < 2 * self.places - 1)
            taken.append(count)
        given = range(1, self.slots + 1)
        return Events(
            range(self.slots), {"in": Take(taken, taken)}, {"out": Give(given, given, LATENCY + 1)}
        )


def linear_upsample(x: TensorType, y: TensorType, axis: int, lanes: int) -> Unit:
    """Return the unit that doubles the places on an axis.

    Shapes: y as x, with twice the places on the axis, which is not the last. Slots: beats of y.
    """
    source, out = stream(x, lanes), stream(y, lanes)
    process = InterpolationProcess(
        math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :]) // lanes
    )
    ring = WordRing(2 * source.width, process.words)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        "Lanes": lanes,
        "Words": process.words,
        "Places": process.places,
        "BlockRam": int(ring.block),
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    counters = process.words.bit_length() + process.places.bit_length()
    return Unit(
        "linear_upsample",
        (*BLOCKS, "stream_fifo", "linear_upsample"),
        parameters,
        {"in": source},
        {"out": out},
        (process,),
        ring.resources
        + Resources(lut=4 * source.width + 2 * out.width, ff=4 * source.width + out.width)
        + Resources(lut=10 + 2 * counters, ff=12 + counters)
        + fifo_resources(out.width, depth),
    )
