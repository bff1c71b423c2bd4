# SPDX-License-Identifier: Apache-2.0
"""The words of a stream in another order, or several times (`stream_reorder.sv`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from intaglio.errors import ModelError
from intaglio.hw.cost import Resources
from intaglio.hw.memory import ram
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 3
#: Loops that the module has.
LEVELS = 4

#: How often a loop turns, and how many words further each turn reads.
Loop = tuple[int, int]


@dataclass(frozen=True)
class Order:
    """In which order the words of each block are read: loops over a block, outermost first.

    A frame is `blocks` blocks of `words` words. The loops never leave their block, and reach its
    last word.
    """

    blocks: int
    words: int
    loops: tuple[Loop, ...]

    @classmethod
    def of(cls, words: int, loops: Sequence[Loop]) -> Order:
        """Return the order of the smallest blocks, of fewest loops, for loops over a whole frame.

        A loop that only continues the one inside it becomes part of it. An outermost loop over all
        of the frame is a loop over blocks: nothing is read across their borders.
        """
        fewest: list[Loop] = []
        for count, step in loops:
            if count == 1:
                continue
            if fewest and fewest[-1][1] == count * step:
                fewest[-1] = (fewest[-1][0] * count, step)
            else:
                fewest.append((count, step))
        blocks = 1
        while fewest and fewest[0][0] * fewest[0][1] == words:
            count, words = fewest.pop(0)
            blocks *= count
        return cls(blocks, words, tuple(fewest))

    @property
    def passes(self) -> bool:
        """Whether the words stay as they are."""
        return not self.loops

    @property
    def slots(self) -> int:
        """Words read of one block."""
        return math.prod(count for count, _ in self.loops)

    @property
    def room(self) -> str:
        """The channel inside the unit: rows are worth buffering a few more of, frames are not."""
        return "rows" if self.blocks > 1 else "frames"


@dataclass(frozen=True)
class ReorderWriter(Process):
    """Takes a frame word by word; gives a block with the last word of each."""

    order: Order

    @property
    def slots(self) -> int:
        """One a word that comes in."""
        return self.order.blocks * self.order.words

    def events(self) -> Events:
        """Take at every word; a block needs room from its first word on."""
        words = self.order.words
        taken = range(1, self.slots + 1)
        reserved = [slot // words + 1 for slot in range(self.slots)]
        given = [(slot + 1) // words for slot in range(self.slots)]
        give = Give(reserved, given, 1)
        return Events(range(self.slots), {"in": Take(taken, taken)}, {self.order.room: give})


@dataclass(frozen=True)
class ReorderReader(Process):
    """Walks over each block; gives a word a slot, and the block back at the last."""

    order: Order

    @property
    def slots(self) -> int:
        """One a word that goes out."""
        return self.order.blocks * self.order.slots

    def events(self) -> Events:
        """Wait for a block where one starts."""
        block = self.order.slots
        need = [slot // block + 1 for slot in range(self.slots)]
        release = [(slot + 1) // block for slot in range(self.slots)]
        given = range(1, self.slots + 1)
        return Events(
            range(self.slots),
            {self.order.room: Take(need, release)},
            {"out": Give(given, given, LATENCY + 1)},
        )


def stream_reorder(
    x: TensorType, y: TensorType, loops: Sequence[Loop], lanes: int, slack: int
) -> Unit | None:
    """Return the unit that reads each frame in the order of loops, or None if that changes nothing.

    Args:
        x: the frame that comes in.
        y: the frame that goes out.
        loops: over the words of a frame, outermost first.
        lanes: channels in a word, of both frames.
        slack: blocks held beyond the one read and the one written.

    Raises:
        ModelError: the loops are more than the module has.
    """
    source, out = stream(x, lanes), stream(y, lanes)
    order = Order.of(source.beats, loops)
    if order.passes:
        return None
    if len(order.loops) > LEVELS:
        raise ModelError(
            f"a new order must take at most {LEVELS} loops in hardware, not {len(order.loops)}"
        )
    blocks = 2 + (slack if order.room == "rows" else 0)
    memory = ram(source.width, blocks * order.words)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": source.width,
        "BlockWords": order.words,
        "Blocks": blocks,
        "BlockRam": int(memory.block),
        "OutDepth": depth,
    }
    outside: list[Loop] = [(1, 0)] * (LEVELS - len(order.loops))
    for level, (count, step) in enumerate([*outside, *order.loops]):
        parameters |= {f"Count{level}": count, f"Step{level}": step}
    address = (blocks * order.words - 1).bit_length()
    counters = sum((count - 1).bit_length() for count, _ in order.loops)
    control = Resources(lut=30 + 5 * address + 2 * counters, ff=12 + 4 * address + counters)
    return Unit(
        "stream_reorder",
        ("loop_counter", "sliced_ram", "stream_fifo", "stream_reorder"),
        parameters,
        {"in": source},
        {"out": out},
        (ReorderWriter(order), ReorderReader(order)),
        control
        + memory.resources
        + Resources(ff=source.width)
        + fifo_resources(source.width, depth),
        {order.room: blocks},
    )
