# SPDX-License-Identifier: Apache-2.0
"""What an array takes of a device's multipliers and block RAMs."""

from __future__ import annotations

from collections.abc import Mapping

from intaglio.arch.systolic.array import MULTIPLIER_BITS, Array
from intaglio.arch.systolic.instructions import Instruction, width
from intaglio.arch.systolic.schedule import Schedule
from intaglio.hw.cost import Resources
from intaglio.hw.memory import Kind, Memory, rom
from intaglio.hw.multiplier import Multiplier

#: What scales the sums of a column: `scale_lane.sv`, its operands beside the multiplier of a scale.
_LOW_BITS = 18


def array_resources(
    array: Array, lists: Mapping[type[Instruction], int] | None = None
) -> Resources:
    """Return multipliers and memories of an array, and of its lists where their lengths are given.

    Tables and flip-flops are not counted.
    """
    factor = MULTIPLIER_BITS + 1
    cells = Multiplier(array.act_bits + 1, array.weight_bits).resources * array.multipliers
    lane = Multiplier(min(_LOW_BITS, array.sum_bits + 1), factor).resources
    if array.sum_bits + 1 > _LOW_BITS:
        lane += Multiplier(max(2, array.sum_bits + 1 - (_LOW_BITS - 1)), factor).resources
    total = cells + lane * array.columns
    for wide, deep, count in _memories(array):
        total += Memory(Kind.RAM, wide, deep, block=True).resources * count
    for kind, length in (lists or {}).items():
        total += rom(width(kind, array.act_bits), length).resources
    return total


def list_lengths(schedule: Schedule) -> dict[type[Instruction], int]:
    """Return how long each unit's list is."""
    found: dict[type[Instruction], int] = {}
    for item in schedule.order:
        found[type(item)] = found.get(type(item), 0) + 1
    return found


def _memories(array: Array) -> list[tuple[int, int, int]]:
    """Return width, depth and number of each kind of memory of `systolic_engine.sv`."""
    kept = array.code_bits or array.weight_bits
    parameter = array.sum_bits + MULTIPLIER_BITS
    weight_chunks = array.lanes // array.weight_chunk
    parameter_chunks = array.lanes // array.parameter_chunk
    return [
        (array.act_bits, array.act_rows, 2 * array.lanes),
        (array.weight_chunk * kept, array.weight_words, weight_chunks),
        (array.parameter_chunk * parameter, array.parameter_words, parameter_chunks),
        (array.sum_bits, array.sum_rows, 2 * array.columns),
    ]
