# SPDX-License-Identifier: Apache-2.0
"""What the units of an array work off: one frozen class for each unit, and its bits.

Fields are those of the packed structs in `load_unit.sv`, `fold_unit.sv`, `drain_unit.sv` and
`store_unit.sv`, in their order, the first one highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from intaglio.errors import ModelError


def _bits(width: int, default: int = 0) -> Any:
    """Declare a field of so many bits; 0 stands for the array's bits of an activation."""
    return field(default=default, metadata={"bits": width})


@dataclass(frozen=True, kw_only=True)
class Load:
    """Beats of memory into one of the array's own memories.

    `target` is 0 or 1 for activations, 2 for weights, 3 for parameters, 4 for the codebook.
    """

    target: int = _bits(4)
    wait_folds: int = _bits(16)
    wait_drains: int = _bits(16)
    wait_stores: int = _bits(16)
    beat: int = _bits(32)
    beats: int = _bits(24)
    chunk: int = _bits(24)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """A nest of loops over pixels and taps, through the array."""

    mode: int = _bits(2)
    memory: int = _bits(1)
    is_signed: int = _bits(1)
    maximum: int = _bits(1)
    accumulate: int = _bits(1)
    each_step: int = _bits(1)
    half: int = _bits(1)
    wait_loads: int = _bits(16)
    wait_folds: int = _bits(16)
    wait_drains: int = _bits(16)
    base: int = _bits(24)
    step_p: int = _bits(24)
    step_q: int = _bits(24)
    step_r: int = _bits(24)
    step_s: int = _bits(24)
    step_u: int = _bits(24)
    y: int = _bits(24)
    y_p: int = _bits(24)
    y_r: int = _bits(24)
    height: int = _bits(24)
    x: int = _bits(24)
    width: int = _bits(24)
    run: int = _bits(24)
    r_count: int = _bits(16)
    s_count: int = _bits(16)
    u_count: int = _bits(16)
    q_count: int = _bits(16)
    pixels: int = _bits(16)
    tile_pixels: int = _bits(16)
    weight: int = _bits(24)
    weight_step: int = _bits(24)
    weights: int = _bits(16)
    period: int = _bits(16)
    sum: int = _bits(24)
    sum_step: int = _bits(24)
    pad: int = _bits(0)

    @property
    def steps(self) -> int:
        """Steps of all its tiles."""
        tiles = -(-self.pixels // self.tile_pixels)
        return tiles * self.r_count * self.s_count * self.u_count

    @property
    def cycles(self) -> int:
        """Cycles in which it uses the array."""
        return self.steps * self.period


@dataclass(frozen=True, kw_only=True)
class Drain:
    """Sums of a tile to activations, or two to one."""

    memory: int = _bits(1)
    half: int = _bits(1)
    turned: int = _bits(1)
    joins: int = _bits(1)
    wait_loads: int = _bits(16)
    wait_folds: int = _bits(16)
    wait_stores: int = _bits(16)
    sum: int = _bits(24)
    sum_step: int = _bits(24)
    sum_other: int = _bits(24)
    sum_back: int = _bits(24)
    blocks: int = _bits(16)
    channels: int = _bits(16)
    p_count: int = _bits(16)
    q_count: int = _bits(16)
    base: int = _bits(24)
    step_p: int = _bits(24)
    step_q: int = _bits(24)
    parameter_word: int = _bits(24)
    plane: int = _bits(6)
    other_shift: int = _bits(6)
    other_zero_point: int = _bits(20)
    other_low: int = _bits(20)
    other_high: int = _bits(20)
    shift: int = _bits(6)
    zero_point: int = _bits(20)
    low: int = _bits(20)
    high: int = _bits(20)

    @property
    def cycles(self) -> int:
        """Cycles in which it takes sums."""
        return self.blocks * self.p_count * self.q_count * (2 if self.joins else 1)


@dataclass(frozen=True, kw_only=True)
class Store:
    """Elements of an activation memory to beats of memory."""

    memory: int = _bits(1)
    wait_drains: int = _bits(16)
    beat: int = _bits(32)
    beats: int = _bits(24)
    element: int = _bits(24)


Instruction = Load | Fold | Drain | Store


def encode(instruction: Instruction, act_bits: int) -> int:
    """Return an instruction's bits.

    Raises:
        ModelError: a field does not fit; a network is too large for the array's counters.
    """
    word = 0
    for item in fields(instruction):
        bits = item.metadata["bits"] or act_bits
        value = getattr(instruction, item.name)
        if not -(1 << (bits - 1)) <= value < 1 << bits:
            raise ModelError(f"{item.name} must fit {bits} bits of an instruction, not be {value}")
        word = (word << bits) | (value & ((1 << bits) - 1))
    return word


def width(kind: type[Instruction], act_bits: int) -> int:
    """Return the bits of an instruction of a unit."""
    return sum(item.metadata["bits"] or act_bits for item in fields(kind))


def varying_bits(list_: Sequence[Instruction], act_bits: int) -> int:
    """Return how many of its bits a list has to keep: those not the same in all instructions."""
    words = [encode(item, act_bits) for item in list_]
    varying = 0
    for word in words:
        varying |= word ^ words[0]
    return varying.bit_count()


def hex_list(kind: type[Instruction], list_: Sequence[Instruction], act_bits: int) -> str:
    """Return a unit's list as $readmemh reads it."""
    digits = -(-width(kind, act_bits) // 4)
    return "".join(f"{encode(item, act_bits):0{digits}x}\n" for item in list_)
