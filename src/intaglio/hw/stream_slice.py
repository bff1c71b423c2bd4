# SPDX-License-Identifier: Apache-2.0
"""A part of each frame as a unit (`stream_slice.sv`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from intaglio.errors import ModelError
from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1

#: The axes that the module counts, outermost first, by the names of its parameters.
AXES = (("Rows", "Row"), ("Columns", "Column"), ("Words", "Word"))


@dataclass(frozen=True)
class Cut:
    """What is taken along one axis: places `step` apart from `start` on, `taken` of them."""

    size: int
    start: int = 0
    step: int = 1
    taken: int = 1

    @property
    def whole(self) -> bool:
        """Whether nothing is dropped."""
        return self.taken == self.size

    @property
    def kept(self) -> list[bool]:
        """For each place, whether it is taken."""
        places = set(range(self.start, self.start + self.taken * self.step, self.step))
        return [place in places for place in range(self.size)]


@dataclass(frozen=True)
class SliceProcess(Process):
    """A slot an input beat; those that are kept are given."""

    cuts: tuple[Cut, ...]

    @property
    def slots(self) -> int:
        """One a beat that comes in."""
        slots = 1
        for cut in self.cuts:
            slots *= cut.size
        return slots

    def events(self) -> Events:
        """Take at every slot, give at those inside."""
        kept = [True]
        for cut in self.cuts:
            kept = [outer and inner for outer in kept for inner in cut.kept]
        given, count = [], 0
        for keep in kept:
            count += keep
            given.append(count)
        taken = range(1, self.slots + 1)
        return Events(
            range(self.slots), {"in": Take(taken, taken)}, {"out": Give(given, given, LATENCY + 1)}
        )


def merged(cuts: Sequence[Cut]) -> tuple[Cut, ...]:
    """Return the same part of a frame in as few axes as the module counts.

    An axis that is taken whole becomes part of the one outside it.

    Raises:
        ModelError: more axes than the module counts are left.
    """
    found: list[Cut] = []
    for cut in cuts:
        outer = found[-1] if found else None
        if outer and cut.whole and (outer.step == 1 or cut.size == 1):
            found[-1] = Cut(
                outer.size * cut.size, outer.start * cut.size, outer.step, outer.taken * cut.size
            )
        else:
            found.append(cut)
    if len(found) > len(AXES):
        raise ModelError(f"a slice must cut at most {len(AXES)} axes in hardware, not {len(found)}")
    return (*[Cut(1)] * (len(AXES) - len(found)), *found)


def stream_slice(x: TensorType, y: TensorType, cuts: Sequence[Cut], lanes: int) -> Unit:
    """Return the unit that takes a part of each frame.

    Args:
        x: the frame that comes in.
        y: what is left of it.
        cuts: what is taken along each axis of x, counted in words of `lanes` on the last.
        lanes: channels in a word.
    """
    axes = merged(cuts)
    source = stream(x, lanes)
    depth = fifo_depth(LATENCY)
    parameters = {"Width": source.width, "OutDepth": depth}
    for (plural, singular), cut in zip(AXES, axes, strict=True):
        parameters |= {
            plural: cut.size,
            f"{singular}Start": cut.start,
            f"{singular}Step": cut.step,
            f"{singular}Taken": cut.taken,
        }
    counters = sum((cut.size - 1).bit_length() for cut in axes)
    return Unit(
        "stream_slice",
        ("loop_counter", "window_steps", "stream_fifo", "stream_slice"),
        parameters,
        {"in": source},
        {"out": stream(y, lanes)},
        (SliceProcess(axes),),
        Resources(lut=8 + 6 * counters, ff=source.width + 8 + 3 * counters)
        + fifo_resources(source.width, depth),
    )
