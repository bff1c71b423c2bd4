# SPDX-License-Identifier: Apache-2.0
"""What an array is made of, before it is made.

Memories and multipliers are counted as they are built; plain logic by the bits of registers, adders
and choices, of which synthesis leaves a share that is measured: within 10 % on ECP5, mostly within
4 %.

Source: `LOGIC` and `CONTROL` are fitted to what Yosys 0.70 makes for ECP5 of the arrays of
`testing/systolic_resources.py`; `benchmarks/systolic_resources.py` measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intaglio.arch.systolic.array import MULTIPLIER_BITS, VALUE_BITS, Array, Dataflow
from intaglio.arch.systolic.instructions import Instruction, varying_bits, width
from intaglio.arch.systolic.schedule import UNITS, Schedule
from intaglio.hw.cost import Resources
from intaglio.hw.memory import Kind, Memory, rom
from intaglio.hw.multiplier import PORT_BITS, SPLIT_BITS, Multiplier
from intaglio.hw.multiplier_rows import rows_resources
from intaglio.numerics.types import IntType

#: `RowsBits` of scale_lane.sv: the widest high part of a sum that is multiplied in LUTs.
ROWS_BITS = 8
#: LUTs and flip-flops of loops, counters and places, which are as wide in any array.
CONTROL = Resources(lut=2630, ff=1295)
#: Shares of the LUTs and flip-flops that are counted for the rest.
LOGIC = (0.840, 0.893)


@dataclass(frozen=True)
class ListSize:
    """How many instructions a unit has, and the bits that differ between them."""

    count: int
    bits: int


def list_sizes(schedule: Schedule) -> dict[type[Instruction], ListSize]:
    """Return the sizes of the lists of a network."""
    lists = {kind: schedule.list_of(kind) for kind in UNITS}
    bits = schedule.array.act_bits
    return {kind: ListSize(len(some), varying_bits(some, bits)) for kind, some in lists.items()}


def cost(array: Array, lists: Mapping[type[Instruction], ListSize]) -> Resources:
    """Return what an array takes with lists of such sizes.

    Exactness: multipliers and block RAMs are those that Yosys finds for ECP5. Where no two
    instructions of a network differ in a field, as in a network of one layer, it finds less logic.
    """
    total = CONTROL + logic(array)
    for size in lists.values():
        total += rom(size.bits, size.count).resources
    return total + memories(array) + _multipliers(array)


def array_resources(
    array: Array, lists: Mapping[type[Instruction], int] | None = None
) -> Resources:
    """Return what an array takes with lists of such lengths, at most.

    What differs in a list is not known from its length: every bit of it is kept here.
    """
    sizes = {
        kind: ListSize(length, width(kind, array.act_bits))
        for kind, length in (lists or {}).items()
    }
    return cost(array, sizes)


def list_lengths(schedule: Schedule) -> dict[type[Instruction], int]:
    """Return how long each unit's list is."""
    return {kind: len(schedule.list_of(kind)) for kind in UNITS}


def logic(array: Array) -> Resources:
    """Return the plain logic that grows with an array: no memories, multipliers or lists."""
    counted = _cells(array) + _edges(array) + _memory_lanes(array)
    counted += _lane(array) * array.columns
    lut, ff = LOGIC
    return Resources(round(lut * counted.lut), round(ff * counted.ff)) + _delays(array)


def memories(array: Array) -> Resources:
    """Return the memories: of activations, weights, parameters and sums."""
    total = act_memories(array) + sum_memories(array)
    return total + weight_memory(array) + parameter_memory(array)


def act_memories(array: Array) -> Resources:
    """Return the two memories of activations."""
    return _block(array.act_bits, array.act_rows) * (2 * array.lanes)


def sum_memories(array: Array) -> Resources:
    """Return the two memories of sums."""
    return _block(array.sum_bits, array.sum_rows) * (2 * array.columns)


def weight_memory(array: Array) -> Resources:
    """Return the memory of weights, or of their codes."""
    kept = array.code_bits or array.weight_bits
    return _chunks(_weight_lanes(array), array.weight_chunk, kept, array.weight_words)


def parameter_memory(array: Array) -> Resources:
    """Return the memory of biases and multipliers."""
    return _chunks(
        array.columns, array.parameter_chunk, array.parameter_bits, array.parameter_words
    )


# --- what is counted as it is built ---------------------------------------------------------------


def _weight_lanes(array: Array) -> int:
    """Return the lanes of a word of weights that reach the array."""
    if array.dataflows == {Dataflow.INPUT_STATIONARY}:
        return array.rows
    still = Dataflow.INPUT_STATIONARY in array.dataflows
    return max(array.columns, array.rows if still else 0)


def _chunks(lanes: int, chunk: int, bits: int, words: int) -> Resources:
    """Return a `chunk_memory`; of its lanes those that nothing reads are not built."""
    full, rest = divmod(lanes, chunk)
    total = _block(chunk * bits, words) * full
    return total + _block(rest * bits, words) if rest else total


def _block(width: int, depth: int) -> Resources:
    return Memory(Kind.RAM, width, depth, block=True).resources


def _multipliers(array: Array) -> Resources:
    """Return the products of cells and of scales."""
    stream, hold = _operands(array)
    factor = MULTIPLIER_BITS + 1
    high = array.sum_bits + 1 - SPLIT_BITS
    lane = Multiplier(PORT_BITS, factor).resources
    if high > ROWS_BITS:
        lane += Multiplier(high, factor).resources
    else:
        lane += rows_resources(IntType(MULTIPLIER_BITS, signed=False), IntType(high, signed=True))
    return Multiplier(stream, hold).resources * array.multipliers + lane * array.columns


def _operands(array: Array) -> tuple[int, int]:
    """Return the widths of what streams through a cell and of what it holds."""
    act, weight = array.act_bits + 1, array.weight_bits
    if Dataflow.INPUT_STATIONARY not in array.dataflows:
        return act, weight
    if len(array.dataflows) == 1:
        return weight, act
    return max(act, weight), max(act, weight)


# --- what a share is left of ----------------------------------------------------------------------


def _cells(array: Array) -> Resources:
    """Return the cells without their multipliers: the first row has nothing to add to."""
    stream, hold = _operands(array)
    bits = array.sum_bits
    own = Dataflow.OUTPUT_STATIONARY in array.dataflows
    mixed = len(array.dataflows) > 1
    either = Dataflow.INPUT_STATIONARY in array.dataflows and mixed
    lut = bits + 1 + hold * (either + (own and mixed)) + (bits * (3 if mixed else 2) if own else 0)
    ff = stream + hold + bits + (2 * bits + 4 if own else 0)
    first = 0 if own else min(0, stream + hold - bits) * array.columns
    return Resources(lut, ff) * array.multipliers + Resources(ff=first, lut=first)


def _edges(array: Array) -> Resources:
    """Return the delays along the edges of the array, and what turns words into streams."""
    rows, columns = array.rows, array.columns
    act, weight, flows = array.act_bits + 1, array.weight_bits, array.dataflows
    own, still = Dataflow.OUTPUT_STATIONARY in flows, Dataflow.INPUT_STATIONARY in flows
    triangle = rows * (rows - 1) // 2, columns * (columns - 1) // 2
    ff = triangle[1] * array.sum_bits + (rows + columns) * 4
    lut = rows * act * 2
    if flows != {Dataflow.OUTPUT_STATIONARY}:
        ff += triangle[0] * act
    if flows != {Dataflow.INPUT_STATIONARY}:
        ff += triangle[1] * weight
    if still:
        ff += triangle[0] * weight
        lut += rows * max(act, weight)
    if own:
        ff += rows * rows * act + columns * weight + triangle[0] * 2 + triangle[1]
        lut += rows * rows * act
    return Resources(lut, ff)


def _lane(array: Array) -> Resources:
    """Return a lane of accumulators and of what drains them."""
    bits, act = array.sum_bits, array.act_bits
    product = bits + MULTIPLIER_BITS + 3
    high = bits + 1 - SPLIT_BITS
    turn = (array.columns - 1).bit_length()
    turned = Dataflow.INPUT_STATIONARY in array.dataflows
    gathered = bits * 7 + (2 * bits * turn if turned else 0)
    scaled = bits + high + product * (2 + 6) + product // 3 + VALUE_BITS * 6
    joined = bits + act * -(-VALUE_BITS // act)
    ff = bits * 3 + array.parameter_bits * 2 + 3 * product + VALUE_BITS * 4 + 6 + bits + act
    return Resources(gathered + scaled + joined, ff)


def _memory_lanes(array: Array) -> Resources:
    """Return what turns words at the ports of memories, and holds them."""
    act, rows = array.act_bits, (array.act_rows - 1).bit_length()
    levels = (array.lanes - 1).bit_length()
    memory = Resources(levels * (2 * act + 1) + act + 3 * rows, 2 * act + 1 + 2 * rows)
    word = Resources(3 * act + 4, 2 * act + 6) * array.rows
    return (
        memory * (2 * array.lanes)
        + word
        + Resources(ff=2 * array.weight_bits * _weight_lanes(array))
    )


def _delays(array: Array) -> Resources:
    """Return the registers that marks, places and rows pass through."""
    row = (array.sum_rows - 1).bit_length()
    place = (array.act_elements - 1).bit_length()
    marks = row + (array.columns - 1).bit_length() + 4
    ff = (array.rows + array.columns + 7) * marks + array.fold_delay + 14 * (row + place + 13)
    return Resources(ff=ff + 5 * array.beat_bits, lut=2 * array.beat_bits)
