# SPDX-License-Identifier: Apache-2.0
"""A tape while it is written: where each value lies, and what every operator's rule may add."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.graph import Graph, Node
from intaglio.numerics.types import IntType

#: Values start at cache lines, and a kernel may touch up to one line past their end.
LINE = 64


class NoKernelError(ModelError):
    """A program has something that no kernel computes; the reference runs it instead."""


class Kind(enum.IntEnum):
    """How the elements of a value are stored; the numbers are those of `kernels.cpp`."""

    U8 = 0
    S8 = 1
    I32 = 2
    I64 = 3

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """The same as a machine type."""
        return np.dtype((np.uint8, np.int8, np.int32, np.int64)[self])

    @classmethod
    def holding(cls, element: IntType, kinds: Sequence[Kind]) -> Kind:
        """Return the first of the kinds that holds every code."""
        for kind in kinds:
            limits = np.iinfo(kind.dtype)
            if limits.min <= element.min and element.max <= limits.max:
                return kind
        raise ModelError(f"an integer must have at most 64 bits, not {element}")  # pragma: no cover


NARROW = tuple(Kind)
#: What sums are made in.
WIDE = (Kind.I32, Kind.I64)


class Instruction(enum.IntEnum):
    """What a kernel does; the numbers are those of `kernels.cpp`."""

    ENTRANCE = 0
    EXIT = 1
    DOT_BYTES = 2
    DOT_WIDE = 3
    REQUANTIZE = 4
    MAX_POOL = 5
    SUM_POOL = 6
    ADD = 7
    CLAMP = 8
    MOVE = 9
    ARGMAX = 10
    MULTIPLY = 11
    CONCAT = 12
    LOOKUP = 13
    BATCH_MATMUL = 14
    REQUANTIZE_AFFINE = 15


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value's frame lies, and how."""

    offset: int
    kind: Kind

    @property
    def words(self) -> tuple[int, int]:
        """The place as an instruction holds it."""
        return self.offset, self.kind


@dataclass
class Assembly:
    """The tape so far. `wanted` are the values that must be stored under their own names."""

    graph: Graph
    wanted: frozenset[str]
    words: list[int] = field(default_factory=list)
    constants: bytearray = field(default_factory=bytearray)
    size: int = 0
    places: dict[str, Place] = field(default_factory=dict)

    def put(self, instruction: Instruction, *fields: int) -> None:
        """Append an instruction."""
        self.words += instruction_words(instruction, *fields)

    def constant(self, array: np.ndarray) -> int:
        """Store an array and return its offset; a kernel may read up to one line past its end."""
        self.constants += bytes(-len(self.constants) % LINE)
        offset = len(self.constants)
        self.constants += np.ascontiguousarray(array).tobytes() + bytes(LINE)
        return offset

    def room(self, elements: int, kind: Kind) -> Place:
        """Set room aside in the arena."""
        place = Place(self.size, kind)
        self.size += -(-elements * kind.dtype.itemsize // LINE) * LINE + LINE
        return place

    def place(self, name: str, kinds: Sequence[Kind] = NARROW) -> Place:
        """Set room aside for a value, of the first kind that holds it."""
        type_ = self.graph.types[name]
        self.places[name] = self.room(type_.size, Kind.holding(type_.integer, kinds))
        return self.places[name]

    def only_reader(self, name: str) -> Node | None:
        """Return the one node that reads a value, if nothing else ever sees it."""
        readers = self.graph.consumers.get(name, ())
        if len(readers) != 1 or name in self.wanted or readers[0].inputs.count(name) != 1:
            return None
        return readers[0]


def instruction_words(instruction: Instruction, *fields: int) -> list[int]:
    """Return an instruction as it stands on the tape: itself, its length, its fields."""
    return [instruction, len(fields) + 2, *(int(value) for value in fields)]
