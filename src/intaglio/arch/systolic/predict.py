# SPDX-License-Identifier: Apache-2.0
"""When every instruction of an array is done, to the cycle, without simulating anything.

Each unit works off its list alone; an instruction begins two cycles after the one before it, or as
soon as the counts it waits for are there. How long it takes follows from its loops and from the
external memory. So times follow by going once through all instructions in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from intaglio.arch.systolic.array import PARAMETER_CONTAINER, Array
from intaglio.arch.systolic.instructions import Drain, Fold, Instruction, Load, Store
from intaglio.arch.systolic.schedule import ACT, BOOK, PARAMETERS, UNITS, WEIGHTS, Schedule
from intaglio.errors import ModelError

#: Cycle of the first check whether an instruction may begin; `start_i` comes in cycle 0.
FIRST_CHECK = 3
#: Cycles from what ends an instruction to the next check, in units that wait until all is written.
BETWEEN = 2
#: `LatencyDone` of drain_unit.sv and load_unit.sv.
DRAIN_DONE, LOAD_DONE = 16, 4
#: Edges from reading an activation memory to a beat at the memory port: store_unit.sv.
STORE_LATENCY = 7
#: `Outstanding` of load_unit.sv.
OUTSTANDING = 4


@dataclass(frozen=True)
class Memory:
    """How external memory answers.

    Units: cycles, from an address to its first beat, from beat to beat of what is read and of what
    is written, and from the last beat of a burst that is written to its acknowledgement.
    """

    read_latency: int = 20
    read_gap: int = 1
    write_gap: int = 1
    write_latency: int = 8

    def __post_init__(self) -> None:
        for name in ("read_latency", "read_gap", "write_gap", "write_latency"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name} must be at least 1 cycle, not {getattr(self, name)}")


@dataclass(frozen=True)
class LayerCycles:
    """What a layer takes: from the end of the layer before it to its own.

    Units: cycles. Of these `compute` pass with the array at work on it, `load` with the array
    waiting for what is loaded, `other` with the array empty for another reason: sums that drain,
    results that are stored, and what stands between instructions.
    """

    name: str
    total: int
    compute: int
    load: int
    other: int
    macs: int


@dataclass(frozen=True)
class Prediction:
    """Cycles of a frame; `done` holds, for each unit, when each of its instructions is done."""

    total: int
    layers: tuple[LayerCycles, ...]
    done: dict[type[Instruction], tuple[int, ...]]


def burst_beats(array: Array) -> int:
    """Return the beats of the longest burst: 256, and never over a boundary of 4 KiB."""
    return min(256, 4096 // (array.beat_bits // 8))


def chunks_per_beat(array: Array, target: int) -> int:
    """Return the cycles that a beat takes to be written to a target."""
    beat = array.beat_bits
    return {
        ACT: array.act_beat // array.act_chunk,
        ACT + 1: array.act_beat // array.act_chunk,
        WEIGHTS: beat // array.weight_container // array.weight_chunk,
        PARAMETERS: beat // PARAMETER_CONTAINER // array.parameter_chunk,
        BOOK: beat // 8,
    }[target]


def _bursts(beat: int, beats: int, longest: int) -> list[int]:
    """Return the lengths of the bursts of a transfer."""
    first = min(beats, longest - beat % longest)
    rest = beats - first
    return [first, *[longest] * (rest // longest), *([rest % longest] if rest % longest else [])]


def _load_end(load: Load, begin: int, array: Array, memory: Memory) -> int:
    """Return the cycle in which the last beat is taken."""
    gap = max(memory.read_gap, chunks_per_beat(array, load.target))
    asked, last = begin, begin - gap
    lasts: list[int] = []
    for index, length in enumerate(_bursts(load.beat, load.beats, burst_beats(array))):
        if index:
            asked += 1
        if index >= OUTSTANDING:
            asked = max(asked, lasts[index - OUTSTANDING] + 1)
        last = max(asked + memory.read_latency, last + gap) + (length - 1) * gap
        lasts.append(last)
    return last


def _store_end(store: Store, begin: int, array: Array, memory: Memory) -> int:
    """Return the cycle in which the last burst is acknowledged."""
    reads = array.act_beat // array.act_chunk
    first = begin + reads - 1 + STORE_LATENCY
    return first + (store.beats - 1) * max(memory.write_gap, reads) + memory.write_latency


def predict(schedule: Schedule, memory: Memory | None = None) -> Prediction:
    """Foretell a frame.

    Exactness: equal to simulation, each instruction of each unit, while memory answers as `memory`
    says and takes addresses at once.
    """
    memory = memory or Memory()
    array = schedule.array
    check = dict.fromkeys(UNITS, FIRST_CHECK)
    done: dict[type[Instruction], list[int]] = {kind: [] for kind in UNITS}
    busy: list[tuple[int, int, int]] = []  # of each fold: first and last cycle, and its loads' end
    for item in schedule.order:
        kind = type(item)
        waits = {unit: getattr(item, f"wait_{unit.__name__.lower()}s", 0) for unit in UNITS}
        begin = max(check[kind], *(done[u][n - 1] + 1 if n else 0 for u, n in waits.items())) + 1
        if isinstance(item, Fold):
            last = begin + item.cycles - 1
            ready = done[Load][item.wait_loads - 1] + 2 if item.wait_loads else 0
            busy.append((begin, last, ready))
            check[kind] = last + 2
            done[kind].append(last + array.fold_delay)
            continue
        if isinstance(item, Drain):
            end = begin + item.cycles - 1 + DRAIN_DONE
        elif isinstance(item, Load):
            taken = _load_end(item, begin, array, memory)
            end = taken + chunks_per_beat(array, item.target) - 1 + LOAD_DONE
        else:
            end = _store_end(item, begin, array, memory)
        check[kind] = end + BETWEEN
        done[kind].append(end)
    ends = [done[Store][count - 1] for count in schedule.ends]
    return Prediction(
        ends[-1], tuple(_layers(schedule, ends, busy)), {k: tuple(v) for k, v in done.items()}
    )


def _layers(
    schedule: Schedule, ends: list[int], busy: list[tuple[int, int, int]]
) -> list[LayerCycles]:
    """Divide the cycles between layers, at the ends of their last stores."""
    found = []
    edges = [0, *ends]
    cycles = [(begin, last) for begin, last, _ in busy]
    starved = [
        (max(previous + 1, 0), max(previous, min(begin - 1, ready)))
        for previous, (begin, _, ready) in zip([0, *(b[1] for b in busy)], busy, strict=False)
    ]
    for layer, (low, high) in zip(schedule.network.layers, pairwise(edges), strict=True):
        compute = _overlap(cycles, low, high)
        load = _overlap(starved, low, high)
        total = high - low
        found.append(
            LayerCycles(layer.name, total, compute, load, total - compute - load, layer.macs)
        )
    return found


def _overlap(spans: list[tuple[int, int]], low: int, high: int) -> int:
    """Return how many cycles of spans (first, last) lie in low < cycle <= high."""
    return sum(max(0, min(last, high) - max(first, low + 1) + 1) for first, last in spans)
