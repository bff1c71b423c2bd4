# SPDX-License-Identifier: Apache-2.0
"""A network followed through the four units of an array, block by block: compiled.

What `arch/systolic/predict.py` does instruction by instruction, from counts alone and without a
schedule, so that a search can ask for many thousand arrays. It does not know addresses of bursts,
which count only for a memory so slow that four bursts are read in less than its latency: then it
may be before the prediction, never after it. Else both are equal (`follows_exactly`).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from intaglio.arch.systolic.array import Array
from intaglio.arch.systolic.predict import (
    BETWEEN,
    DRAIN_DONE,
    FIRST_CHECK,
    LOAD_DONE,
    OUTSTANDING,
    STORE_LATENCY,
    Memory,
    burst_beats,
)

Numbers = np.ndarray

#: Where a state keeps what. Units: when each may begin next.
LOAD, FOLD, DRAIN, STORE = 0, 1, 2, 3
#: When all folds, drains and stores so far are done, and one cycle more; 0 where there were none.
FOLDED, DRAINED, STORED = 4, 5, 6
#: The dataflow of the fold before, or -1.
MODE = 7
#: Memories whose halves take turns: whose turn it is, and when either half is free.
WEIGHTS, PARAMETERS, INPUTS, OUTPUTS, HALVES = 8, 11, 14, 17, 20
STATE = 23
#: What an array and its memory have in common for all layers: see `timing`.
READ_LATENCY, ACT_GAP, ACT_CHUNKS, WEIGHT_GAP, WEIGHT_CHUNKS, PARAMETER_GAP, PARAMETER_CHUNKS = (
    0, 1, 2, 3, 4, 5, 6,
)  # fmt: skip
BOOK_GAP, BOOK_CHUNKS, STORE_READS, STORE_GAP, WRITE_LATENCY, FOLD_DELAY = 7, 8, 9, 10, 11, 12


class Tables(NamedTuple):
    """A layer on an array.

    `scalars` are: beats of parameters, mode, planes, whether it joins, whether a band takes a whole
    memory of inputs and of outputs, and the first row of its own in `written`. `bands` rows: output
    rows, tile sizes of it from, beats of a plane that are stored. `loads` holds for each band and
    value beats and the row of `written` that has to be there. `columns` are the pixels of a row in
    each tile. `blocks` rows: first segment, words of sums a pixel. `segments` rows: group of
    weights, folds. `cycles` rows: for each size of tile, those of each segment. `groups` rows:
    beats of weights, beats of the codebook. `counts` are, for the search: loads, folds, drains,
    stores, words of parameters, beats that pass the memory port.
    """

    scalars: Numbers
    bands: Numbers
    loads: Numbers
    columns: Numbers
    blocks: Numbers
    segments: Numbers
    cycles: Numbers
    groups: Numbers
    counts: Numbers


def follows_exactly(array: Array, memory: Memory) -> bool:
    """Tell whether `follow` is equal to the prediction: no burst waits for the fourth before it."""
    between = (OUTSTANDING - 1) * burst_beats(array) + 1
    return memory.read_latency < between * memory.read_gap


def start() -> Numbers:
    """Return the state before a frame."""
    state = np.zeros(STATE, np.int64)
    state[: STORE + 1] = FIRST_CHECK
    state[MODE] = -1
    return state


@numba.njit(cache=True, inline="always")
def take(state: Numbers, turns: int, whole: int) -> tuple[int, int]:
    """Return the half whose turn it is, or the first for the whole, and when it is free."""
    if whole:
        state[turns] = 0
        return 0, max(state[turns + 1], state[turns + 2])
    half = state[turns]
    state[turns] = 1 - half
    return half, state[turns + 1 + half]


@numba.njit(cache=True, inline="always")
def release(state: Numbers, turns: int, half: int, time: int, whole: int) -> None:
    """Say when a half, or the whole, is free again."""
    state[turns + 1 + half] = time
    if whole:
        state[turns + 2 - half] = time


@numba.njit(cache=True, inline="always")
def load(state: Numbers, free: int, beats: int, gap: int, chunks: int, latency: int) -> int:
    """Follow a load and return when it is done, and one cycle more."""
    begin = max(state[LOAD], free) + 1
    end = begin + latency + (beats - 1) * gap + chunks - 1 + LOAD_DONE
    state[LOAD] = end + BETWEEN
    return end + 1


@numba.njit(cache=True, inline="always")
def weights(
    state: Numbers, timing: Numbers, groups: Numbers, group: int, before: int
) -> tuple[int, int]:
    """Load a group of weights, giving back the half of the one before: return its half, its end."""
    if before >= 0:
        release(state, WEIGHTS, before, state[FOLDED], 0)
    half, free = take(state, WEIGHTS, 0)
    latency = timing[READ_LATENCY]
    gap, chunks = timing[WEIGHT_GAP], timing[WEIGHT_CHUNKS]
    ready = load(state, free, groups[group, 0], gap, chunks, latency)
    if groups[group, 1]:
        gap, chunks = timing[BOOK_GAP], timing[BOOK_CHUNKS]
        ready = load(state, state[FOLDED], groups[group, 1], gap, chunks, latency)
    return half, ready


@numba.njit(cache=True, inline="always")
def drain(state: Numbers, ready: int, words: int) -> None:
    """Follow a drain that takes so many words of sums."""
    begin = max(state[DRAIN], ready, state[FOLDED]) + 1
    end = begin + words - 1 + DRAIN_DONE
    state[DRAIN] = end + BETWEEN
    state[DRAINED] = end + 1


@numba.njit(cache=True)
def follow(state: Numbers, written: Numbers, timing: Numbers, layer: Tables) -> int:
    """Follow a layer, from a state to the next, and return when its last store is done."""
    beats, mode, planes, joins, whole_in, whole_out, own = layer.scalars
    parameters, free = take(state, PARAMETERS, 0)
    latency = timing[READ_LATENCY]
    gap, chunks = timing[PARAMETER_GAP], timing[PARAMETER_CHUNKS]
    parameter_ready = load(state, free, beats, gap, chunks, latency)
    held = 0
    half_held, ready = weights(state, timing, layer.groups, 0, -1)
    row = own
    for b in range(len(layer.bands)):
        rows = layer.bands[b, 0]
        inputs, free = take(state, INPUTS, whole_in)
        for n in range(layer.loads.shape[1]):
            seen = max(free, written[layer.loads[b, n, 1]])
            gap, chunks = timing[ACT_GAP], timing[ACT_CHUNKS]
            ready = load(state, seen, layer.loads[b, n, 0], gap, chunks, latency)
        outputs, out_free = take(state, OUTPUTS, whole_out)
        for c in range(len(layer.columns)):
            kind = layer.bands[b, 1] + (c == len(layer.columns) - 1)
            pixels = rows * layer.columns[c]
            for n in range(len(layer.blocks) - 1):
                half, free = take(state, HALVES, 0)
                for at in range(layer.blocks[n, 0], layer.blocks[n + 1, 0]):
                    if layer.segments[at, 0] != held:
                        held = layer.segments[at, 0]
                        half_held, ready = weights(state, timing, layer.groups, held, half_held)
                    change = state[FOLDED] if state[MODE] not in (-1, mode) else 0
                    state[MODE] = mode
                    begin = max(state[FOLD], ready, free, change) + 1
                    # a fold begins three cycles after the last one's last cycle
                    last = begin + layer.cycles[kind, at] - 1 + 2 * (layer.segments[at, 1] - 1)
                    state[FOLD] = last + 2
                    state[FOLDED] = last + timing[FOLD_DELAY] + 1
                words = layer.blocks[n, 1] * pixels
                room = max(parameter_ready, out_free)
                if joins:
                    drain(state, room, 2 * words)
                for _ in range(planes):
                    drain(state, room, words)
                release(state, HALVES, half, state[DRAINED], 0)
        release(state, INPUTS, inputs, state[FOLDED], whole_in)
        for _ in range(planes):
            begin = max(state[STORE], state[DRAINED]) + 1
            first = begin + timing[STORE_READS] - 1 + STORE_LATENCY
            end = first + (layer.bands[b, 2] - 1) * timing[STORE_GAP] + timing[WRITE_LATENCY]
            state[STORE] = end + BETWEEN
            state[STORED] = end + 1
        release(state, OUTPUTS, outputs, state[STORED], whole_out)
        written[row : row + rows] = state[STORED]
        row += rows
    release(state, WEIGHTS, half_held, state[FOLDED], 0)
    release(state, PARAMETERS, parameters, state[DRAINED], 0)
    return int(state[STORED]) - 1


@numba.njit(cache=True)
def no_later(
    state: Numbers, written: Numbers, other: Numbers, other_written: Numbers, rows: Numbers
) -> bool:
    """Tell whether nothing that follows one state is later than it is after another.

    Both are states after the same layer; `rows` are those of `written` that are still read. Times
    are made by sums and maxima of times, so it is enough that none is later here. Halves that take
    turns are alike, so what counts is the one whose turn it is and the one after.
    """
    for time in (LOAD, DRAIN, STORE, FOLDED, DRAINED, STORED):
        if state[time] > other[time]:
            return False
    # a fold of another dataflow waits for all before it; the other may go on without a change
    if state[FOLD if state[MODE] == other[MODE] else FOLDED] > other[FOLD]:
        return False
    for turns in (WEIGHTS, PARAMETERS, INPUTS, OUTPUTS, HALVES):
        for later in range(2):
            half, other_half = (state[turns] + later) % 2, (other[turns] + later) % 2
            if state[turns + 1 + half] > other[turns + 1 + other_half]:
                return False
    return not (written[rows] > other_written[rows]).any()
