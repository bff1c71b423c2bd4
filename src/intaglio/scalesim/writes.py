# SPDX-License-Identifier: Apache-2.0
"""The write buffer of the output: words are gathered into DRAM lines, and drained in bursts.

Where there is less room than half of the buffer and no burst is under way, the open line is closed,
however short, and a burst begins; its room counts as free at once. A word that finds no room waits
for the end of the burst. Only the last line of a burst is counted as short. Compiled: nothing is
done word by word, as it is known in which line a word passes.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.lines import line_of, words_before
from intaglio.scalesim.operand import Numbers

#: State: words passed, room, words in the open line, lines closed and drained, cycle at which the
#: burst ends, words written, cycles of the first and the last write, bursts, and the first burst
#: whose closing of a line may still matter.
(
    *(PASSED, FREE, OPEN, CLOSED, DRAINED, BUSY, WRITTEN, FIRST, LAST, BURSTS, HEAD),
    SIZE,
) = range(12)
#: Columns of the log of bursts: lines closed when it began, places left empty in the last of them,
#: its first cycle, and lines drained when it ended.
LOG_CLOSED, LOG_EMPTY, LOG_CYCLE, LOG_DRAINED = range(4)
FIRST_BURSTS = 1 << 8


class Buffer(NamedTuple):
    """A write buffer: its words, those that must be free, lines of a burst, words of a line."""

    size: int
    active: int
    burst: int
    bandwidth: int


def write_buffer(size: int, bandwidth: int) -> Buffer:
    """Return a buffer of so many words with so many words a cycle to DRAM."""
    active = -(-size // 2)
    return Buffer(size, active, -(-(size - active) // bandwidth), bandwidth)


@numba.njit(cache=True)
def new_state(buffer: Buffer) -> Numbers:
    """Return the state of an empty buffer."""
    state = np.zeros(SIZE, np.int64)
    state[FREE], state[FIRST], state[LAST] = buffer.size, -1, -1
    return state


@numba.njit(cache=True)
def new_log() -> Numbers:
    """Return an empty log of bursts, which grows."""
    return np.empty((FIRST_BURSTS, 4), np.int64)


@numba.njit(cache=True)
def _append(state: Numbers, buffer: Buffer, words: int) -> None:
    state[PASSED] += words
    state[FREE] -= words
    state[OPEN] += words
    state[CLOSED] += state[OPEN] // buffer.bandwidth
    state[OPEN] %= buffer.bandwidth


@numba.njit(cache=True)
def _drain(state: Numbers, log: Numbers, buffer: Buffer, cycle: int) -> Numbers:
    """Begin a burst; return the log, which may have grown."""
    index = state[BURSTS]
    if index == len(log):
        log = np.concatenate((log, np.empty_like(log)))
    empty = 0
    if state[OPEN]:
        empty = buffer.bandwidth - state[OPEN]
        state[OPEN] = 0
        state[CLOSED] += 1
    end = min(state[DRAINED] + buffer.burst, state[CLOSED])
    log[index, LOG_CLOSED], log[index, LOG_EMPTY] = state[CLOSED], empty
    log[index, LOG_CYCLE], log[index, LOG_DRAINED] = cycle, end
    while log[state[HEAD], LOG_CLOSED] < end:
        state[HEAD] += 1
    lines = end - state[DRAINED]
    words = lines * buffer.bandwidth
    if log[state[HEAD], LOG_CLOSED] == end:
        words -= log[state[HEAD], LOG_EMPTY]
    state[FREE] += words
    state[WRITTEN] += words
    state[DRAINED] = end
    state[BUSY] = cycle + lines - 1
    if state[FIRST] < 0:
        state[FIRST] = cycle
    state[LAST] = max(state[LAST], state[BUSY])
    state[BURSTS] += 1
    return log


@numba.njit(cache=True)
def write_line(
    state: Numbers, log: Numbers, buffer: Buffer, stream: Stream, line: int, cycle: int
) -> tuple[Numbers, int]:
    """Write what is left of a line that comes at a cycle; return the log and the cycle after."""
    limit = words_before(stream, line + 1)
    while state[PASSED] < limit:
        left = limit - state[PASSED]
        waits = cycle < state[BUSY]
        room = max(state[FREE] if waits else state[FREE] - buffer.active + 1, 1)
        if left < room:
            _append(state, buffer, left)
            break
        _append(state, buffer, room)
        if waits:
            cycle = state[BUSY]
        else:
            log = _drain(state, log, buffer, cycle)
    return log, cycle


@numba.njit(cache=True)
def write_lines(
    state: Numbers, log: Numbers, buffer: Buffer, stream: Stream, until: int, stalls: int
) -> tuple[Numbers, int]:
    """Write the lines before `until` after so many stalls; return the log and the stalls then."""
    limit = words_before(stream, until)
    while state[PASSED] < limit:
        cycle = line_of(stream, state[PASSED]) + stalls
        waits, end = cycle < state[BUSY], limit
        room = max(state[FREE] if waits else state[FREE] - buffer.active + 1, 1)
        if waits:
            end = min(limit, words_before(stream, state[BUSY] - stalls))
        left = end - state[PASSED]
        if left < room:
            _append(state, buffer, left)
            continue
        line = line_of(stream, state[PASSED] + room - 1)
        _append(state, buffer, room)
        if waits:
            log, after = write_line(state, log, buffer, stream, line, state[BUSY])
            stalls = after - line
        else:
            log = _drain(state, log, buffer, line + stalls)
    return log, stalls


@numba.njit(cache=True)
def write_rest(state: Numbers, log: Numbers, buffer: Buffer, cycle: int) -> Numbers:
    """Drain everything, from a cycle on; return the log."""
    while state[OPEN] or state[DRAINED] < state[CLOSED]:
        log = _drain(state, log, buffer, cycle)
        cycle = state[BUSY] + 1
    return log
