# SPDX-License-Identifier: Apache-2.0
"""Pooling of whole frames as a unit (`frame_pool.sv`)."""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.hw.word_ring import BLOCKS, WordRing
from intaglio.ir.types import TensorType

LATENCY = 3


@dataclass(frozen=True)
class FramePoolProcess(Process):
    """A slot an input beat; the beats of the last pixel are given."""

    pixels: int
    groups: int

    @property
    def slots(self) -> int:
        """One a beat that comes in."""
        return self.pixels * self.groups

    def events(self) -> Events:
        """Take at every slot, give at the last ones."""
        before = self.slots - self.groups
        taken = range(1, self.slots + 1)
        given = [max(0, slot + 1 - before) for slot in range(self.slots)]
        return Events(
            range(self.slots), {"in": Take(taken, taken)}, {"out": Give(given, given, LATENCY + 1)}
        )


def frame_pool(x: TensorType, y: TensorType, lanes: int, *, maximum: bool) -> Unit:
    """Return the unit of a maximum or sum over all pixels.

    Shapes: x (H, W, C), y (1, 1, C). Slots: H * W * C/lanes.
    """
    source, out = stream(x, lanes), stream(y, lanes)
    pixels, groups = source.beats // out.beats, out.beats
    ring = WordRing(out.width, groups)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Maximum": int(maximum),
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        "Lanes": lanes,
        "Groups": groups,
        "Pixels": pixels,
        "BlockRam": int(ring.block),
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    counters = (pixels - 1).bit_length() + (groups - 1).bit_length()
    reduce = Resources(lut=(3 if maximum else 2) * out.width, ff=out.width + 2 * source.width)
    return Unit(
        "frame_pool",
        (*BLOCKS, "pool_step", "stream_fifo", "frame_pool"),
        parameters,
        {"in": source},
        {"out": out},
        (FramePoolProcess(pixels, groups),),
        ring.resources
        + reduce
        + Resources(lut=10 + 2 * counters, ff=8 + counters)
        + fifo_resources(out.width, depth),
    )
