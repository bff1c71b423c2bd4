# SPDX-License-Identifier: Apache-2.0
"""What an engine is made of, before it is made.

Memories and multipliers are counted as they are built; plain logic by the bits of registers, adders
and choices, of which synthesis leaves a share that is measured: within 10 % on ECP5, mostly within
4 %.

Source: `LOGIC` and `CONTROL` are fitted to what Yosys 0.70 makes for ECP5 of the engines of
`testing/systolic_resources.py`; `benchmarks/systolic_resources.py` measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from intaglio.arch.systolic.engine import MULTIPLIER_BITS, VALUE_BITS, Dataflow, Engine
from intaglio.arch.systolic.instructions import Instruction, varying_bits
from intaglio.arch.systolic.schedule import UNITS, Schedule
from intaglio.hw.cost import Resources
from intaglio.hw.memory import Kind, Memory, rom
from intaglio.hw.multiplier import PORT_BITS, SPLIT_BITS, Multiplier
from intaglio.hw.multiplier_rows import rows_resources
from intaglio.numerics.types import IntType

#: `RowsBits` of scale_lane.sv: the widest high part of a sum that is multiplied in LUTs.
ROWS_BITS = 8
#: LUTs and flip-flops of loops, counters and places, which are as wide in any engine.
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
    bits = schedule.engine.act_bits
    return {kind: ListSize(len(some), varying_bits(some, bits)) for kind, some in lists.items()}


def cost(engine: Engine, lists: Mapping[type[Instruction], ListSize]) -> Resources:
    """Return what an engine takes with lists of such sizes.

    Exactness: multipliers and block RAMs are those that Yosys finds for ECP5. Where no two
    instructions of a network differ in a field, as in a network of one layer, it finds less logic.
    """
    total = CONTROL + logic(engine)
    for size in lists.values():
        total += rom(size.bits, size.count).resources
    return total + _memories(engine) + _multipliers(engine)


def logic(engine: Engine) -> Resources:
    """Return the plain logic that grows with an engine: no memories, multipliers or lists."""
    counted = _cells(engine) + _edges(engine) + _memory_lanes(engine)
    counted += _lane(engine) * engine.columns
    lut, ff = LOGIC
    return Resources(round(lut * counted.lut), round(ff * counted.ff)) + _delays(engine)


# --- what is counted as it is built ---------------------------------------------------------------


def _memories(engine: Engine) -> Resources:
    """Return the memories: of activations, weights, parameters and sums."""
    kept = engine.code_bits or engine.weight_bits
    parameter = engine.sum_bits + MULTIPLIER_BITS
    total = _block(engine.act_bits, engine.act_rows) * (2 * engine.lanes)
    total += _block(engine.sum_bits, engine.sum_rows) * (2 * engine.columns)
    total += _chunks(_weight_lanes(engine), engine.weight_chunk, kept, engine.weight_words)
    return total + _chunks(
        engine.columns, engine.parameter_chunk, parameter, engine.parameter_words
    )


def _weight_lanes(engine: Engine) -> int:
    """Return the lanes of a word of weights that reach the array."""
    if engine.dataflows == {Dataflow.INPUT_STATIONARY}:
        return engine.rows
    still = Dataflow.INPUT_STATIONARY in engine.dataflows
    return max(engine.columns, engine.rows if still else 0)


def _chunks(lanes: int, chunk: int, bits: int, words: int) -> Resources:
    """Return a `chunk_memory`; of its lanes those that nothing reads are not built."""
    full, rest = divmod(lanes, chunk)
    total = _block(chunk * bits, words) * full
    return total + _block(rest * bits, words) if rest else total


def _block(width: int, depth: int) -> Resources:
    return Memory(Kind.RAM, width, depth, block=True).resources


def _multipliers(engine: Engine) -> Resources:
    """Return the products of cells and of scales."""
    stream, hold = _operands(engine)
    factor = MULTIPLIER_BITS + 1
    high = engine.sum_bits + 1 - SPLIT_BITS
    lane = Multiplier(PORT_BITS, factor).resources
    if high > ROWS_BITS:
        lane += Multiplier(high, factor).resources
    else:
        lane += rows_resources(IntType(MULTIPLIER_BITS, signed=False), IntType(high, signed=True))
    return Multiplier(stream, hold).resources * engine.multipliers + lane * engine.columns


def _operands(engine: Engine) -> tuple[int, int]:
    """Return the widths of what streams through a cell and of what it holds."""
    act, weight = engine.act_bits + 1, engine.weight_bits
    if Dataflow.INPUT_STATIONARY not in engine.dataflows:
        return act, weight
    if len(engine.dataflows) == 1:
        return weight, act
    return max(act, weight), max(act, weight)


# --- what a share is left of ----------------------------------------------------------------------


def _cells(engine: Engine) -> Resources:
    """Return the cells without their multipliers: the first row has nothing to add to."""
    stream, hold = _operands(engine)
    bits = engine.sum_bits
    own = Dataflow.OUTPUT_STATIONARY in engine.dataflows
    mixed = len(engine.dataflows) > 1
    either = Dataflow.INPUT_STATIONARY in engine.dataflows and mixed
    lut = bits + 1 + hold * (either + (own and mixed)) + (bits * (3 if mixed else 2) if own else 0)
    ff = stream + hold + bits + (2 * bits + 4 if own else 0)
    first = 0 if own else min(0, stream + hold - bits) * engine.columns
    return Resources(lut, ff) * engine.multipliers + Resources(ff=first, lut=first)


def _edges(engine: Engine) -> Resources:
    """Return the delays along the edges of the array, and what turns words into streams."""
    rows, columns = engine.rows, engine.columns
    act, weight, flows = engine.act_bits + 1, engine.weight_bits, engine.dataflows
    own, still = Dataflow.OUTPUT_STATIONARY in flows, Dataflow.INPUT_STATIONARY in flows
    triangle = rows * (rows - 1) // 2, columns * (columns - 1) // 2
    ff = triangle[1] * engine.sum_bits + (rows + columns) * 4
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


def _lane(engine: Engine) -> Resources:
    """Return a lane of accumulators and of what drains them."""
    bits, act = engine.sum_bits, engine.act_bits
    product = bits + MULTIPLIER_BITS + 3
    high = bits + 1 - SPLIT_BITS
    turn = (engine.columns - 1).bit_length()
    turned = Dataflow.INPUT_STATIONARY in engine.dataflows
    gathered = bits * 7 + (2 * bits * turn if turned else 0)
    scaled = bits + high + product * (2 + 6) + product // 3 + VALUE_BITS * 6
    joined = bits + act * -(-VALUE_BITS // act)
    ff = bits * 3 + (bits + MULTIPLIER_BITS) * 2 + 3 * product + VALUE_BITS * 4 + 6 + bits + act
    return Resources(gathered + scaled + joined, ff)


def _memory_lanes(engine: Engine) -> Resources:
    """Return what turns words at the ports of memories, and holds them."""
    act, rows = engine.act_bits, (engine.act_rows - 1).bit_length()
    levels = (engine.lanes - 1).bit_length()
    memory = Resources(levels * (2 * act + 1) + act + 3 * rows, 2 * act + 1 + 2 * rows)
    word = Resources(3 * act + 4, 2 * act + 6) * engine.rows
    return (
        memory * (2 * engine.lanes)
        + word
        + Resources(ff=2 * engine.weight_bits * _weight_lanes(engine))
    )


def _delays(engine: Engine) -> Resources:
    """Return the registers that marks, places and rows pass through."""
    row = (engine.sum_rows - 1).bit_length()
    place = (engine.act_elements - 1).bit_length()
    marks = row + (engine.columns - 1).bit_length() + 4
    ff = (engine.rows + engine.columns + 7) * marks + engine.fold_delay + 14 * (row + place + 13)
    return Resources(ff=ff + 5 * engine.beat_bits, lut=2 * engine.beat_bits)
