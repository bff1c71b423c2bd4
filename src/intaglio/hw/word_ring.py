# SPDX-License-Identifier: Apache-2.0
"""A ring of words, each read and replaced in turn (`word_ring.sv`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from intaglio.hw.cost import Resources
from intaglio.hw.memory import Memory, ram

BLOCKS = ("loop_counter", "sliced_ram", "word_ring")
#: A memory gives back what was written so many steps ago at the earliest.
SHORTEST_MEMORY = 4


@dataclass(frozen=True)
class WordRing:
    """How many words a ring has, and how wide they are."""

    width: int
    length: int

    @cached_property
    def memory(self) -> Memory | None:
        """The memory that holds the words, or None where registers do."""
        return ram(self.width, self.length) if self.length >= SHORTEST_MEMORY else None

    @property
    def block(self) -> bool:
        """Whether the words are in block RAM."""
        return self.memory is not None and self.memory.block

    @property
    def resources(self) -> Resources:
        """Estimate the cells."""
        if self.memory is None:
            return Resources(lut=2, ff=self.length * self.width + 2)
        address = (self.length - 1).bit_length()
        control = Resources(lut=6 * address, ff=2 * address + 5 + self.width)
        return self.memory.resources + control
