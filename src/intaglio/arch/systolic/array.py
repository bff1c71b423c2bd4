# SPDX-License-Identifier: Apache-2.0
"""The array around a systolic array: its sizes, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from intaglio.errors import ModelError

#: Bits of a multiplier of a scale, unsigned: what requantize takes beside its sign.
MULTIPLIER_BITS = 17
#: Bits of a scaled value, of its zero point and its limits: `ValueWidth` of drain_unit.sv.
VALUE_BITS = 20
#: Bits that the parameters of one channel take in memory.
PARAMETER_CONTAINER = 64
#: Cycles after which the same row of sums can be added to again: `accumulators.sv`.
SUM_TURNAROUND = 4


class Dataflow(Enum):
    """Which operand of the array stands still; the value is its mode in `systolic_array.sv`."""

    WEIGHT_STATIONARY = 0
    INPUT_STATIONARY = 1
    OUTPUT_STATIONARY = 2

    @property
    def short(self) -> str:
        """Return what everybody calls it: ws, is, os."""
        return f"{self.name[0].lower()}s"

    @classmethod
    def parse(cls, text: str) -> Dataflow:
        """Read ws, is or os.

        Raises:
            ModelError: it is none of them.
        """
        for flow in cls:
            if flow.short == text:
                return flow
        raise ModelError(f"a dataflow must be ws, is or os, not {text!r}")


@dataclass(frozen=True)
class Array:
    """Sizes of an array.

    `act_rows` elements lie in each lane of each of two activation memories, `sum_rows` rows of
    `columns` sums in each half of the accumulators. With `code_bits` weights are kept as codes of
    a codebook that each layer brings along. With `remainders` scales have an addend finer than a
    step of sums, as that of `requantize_affine` is. `beat_bits` is the width of the memory port.

    Raises:
        ModelError: a size is out of its range.
    """

    rows: int
    columns: int
    dataflows: frozenset[Dataflow] = frozenset({Dataflow.WEIGHT_STATIONARY})
    act_bits: int = 8
    weight_bits: int = 8
    code_bits: int = 0
    sum_bits: int = 32
    act_rows: int = 2048
    weight_words: int = 2048
    parameter_words: int = 512
    sum_rows: int = 512
    beat_bits: int = 64
    remainders: bool = False

    def __post_init__(self) -> None:
        _within("rows", self.rows, 1, 256)
        _within("columns", self.columns, 1, 256)
        _within("act_bits", self.act_bits, 2, 8)
        _within("weight_bits", self.weight_bits, 2, 8)
        _within("code_bits", self.code_bits, 0, 8)
        _within("sum_bits", self.sum_bits, VALUE_BITS, 30 if self.remainders else 34)
        if not self.dataflows:
            raise ModelError("an array must have at least one dataflow, not none")
        for name in ("act_rows", "weight_words", "parameter_words", "sum_rows", "beat_bits"):
            value = getattr(self, name)
            if value & (value - 1):
                raise ModelError(f"{name} must be a power of two, not {value}")
        _within("beat_bits", self.beat_bits, 64, 512)
        for name in ("act_rows", "weight_words", "parameter_words", "sum_rows"):
            _within(name, getattr(self, name), 2, 1 << 16)

    @property
    def lanes(self) -> int:
        """Lanes of the memories: the least power of two that feeds rows and columns."""
        return max(2, 1 << (max(self.rows, self.columns) - 1).bit_length())

    @property
    def act_container(self) -> int:
        """Bits of an activation in memory: a power of two, so that beats hold whole elements."""
        return container(self.act_bits)

    @property
    def weight_container(self) -> int:
        """Bits of a weight, or of its code, in memory."""
        return container(self.code_bits or self.weight_bits)

    @property
    def act_beat(self) -> int:
        """Activations in a beat."""
        return self.beat_bits // self.act_container

    @property
    def act_chunk(self) -> int:
        """Activations that are written into an activation memory at once."""
        return min(self.act_beat, self.lanes)

    @property
    def weight_chunk(self) -> int:
        """Weights that are written at once."""
        return min(self.beat_bits // self.weight_container, self.lanes)

    @property
    def parameter_bits(self) -> int:
        """Bits of a channel's parameters: bias, multiplier and, where there is one, remainder."""
        return self.sum_bits + MULTIPLIER_BITS * (2 if self.remainders else 1)

    @property
    def parameter_chunk(self) -> int:
        """Channels whose parameters are written at once."""
        return min(self.beat_bits // PARAMETER_CONTAINER, self.lanes)

    @property
    def act_elements(self) -> int:
        """Elements of an activation memory."""
        return self.lanes * self.act_rows

    @property
    def fold_delay(self) -> int:
        """Cycles from the last of a fold to its end being known: `DoneDelay` of fold_unit.sv."""
        rows = 2 * self.rows if Dataflow.OUTPUT_STATIONARY in self.dataflows else self.rows
        return rows + self.columns + 12

    @property
    def multipliers(self) -> int:
        """Cells of the array."""
        return self.rows * self.columns


def container(bits: int) -> int:
    """Return the least power of two of bits that holds so many, at least 2."""
    return max(2, 1 << (bits - 1).bit_length())


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ModelError(f"{name} must be {low}..{high}, not {value}")
