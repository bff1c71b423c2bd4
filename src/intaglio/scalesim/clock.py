# SPDX-License-Identifier: Apache-2.0
"""When each line of the array really passes: what reads and writes make it wait for.

A line waits for the latest of its three operands; the next line follows it. Lines on which nothing
is missed and nothing is full are passed over, so that time depends on events, not on lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.operand import Numbers
from intaglio.scalesim.writes import Buffer, new_log, new_state, write_line, write_lines, write_rest

#: State: the next line, stalls before it, misses timed of either operand, and the cycle of the last
#: DRAM read of either.
NEXT, STALLS, IFMAP_AT, FILTER_AT, IFMAP_LAST, FILTER_LAST = range(6)
#: Cycles until a word that is held is there.
HIT = 1


class Misses(NamedTuple):
    """Lines on which an operand misses, how often, and the cycles that each takes."""

    lines: Numbers
    moves: Numbers
    cycles: int


@numba.njit(cache=True)
def new_clock() -> Numbers:
    """Return the state before the first line."""
    clock = np.zeros(6, np.int64)
    clock[IFMAP_LAST], clock[FILTER_LAST] = -1, -1
    return clock


@numba.njit(cache=True)
def _read(clock: Numbers, misses: Misses, at: int, last: int, line: int, cycle: int) -> int:
    """Return after how many cycles a line has what it reads of an operand."""
    wait = HIT
    if clock[at] < len(misses.lines) and misses.lines[clock[at]] == line:
        for _ in range(misses.moves[clock[at]]):
            clock[last] += misses.cycles
            late = clock[last] - (cycle + wait)
            # https://github.com/scalesim-project/SCALE-Sim/issues/130: stalls count twice
            wait += 2 * late if late > 0 else late
        clock[at] += 1
    return wait


@numba.njit(cache=True)
def tick(
    clock: Numbers,
    state: Numbers,
    log: Numbers,
    buffer: Buffer,
    stream: Stream,
    ifmap: Misses,
    filters: Misses,
) -> tuple[Numbers, int, int, int]:
    """Pass one line; return the log and the cycles at which its three operands are served."""
    line = clock[NEXT]
    cycle = line + clock[STALLS]
    first = _read(clock, ifmap, IFMAP_AT, IFMAP_LAST, line, cycle)
    second = _read(clock, filters, FILTER_AT, FILTER_LAST, line, cycle)
    log, written = write_line(state, log, buffer, stream, line, cycle)
    clock[STALLS] += max(first - HIT, second - HIT, written - cycle)
    clock[NEXT] = line + 1
    return log, cycle + first, cycle + second, written


@numba.njit(cache=True)
def run_to(
    clock: Numbers,
    state: Numbers,
    log: Numbers,
    buffer: Buffer,
    stream: Stream,
    ifmap: Misses,
    filters: Misses,
    until: int,
) -> Numbers:
    """Pass all lines before `until`; return the log."""
    while clock[NEXT] < until:
        event = until
        if clock[IFMAP_AT] < len(ifmap.lines):
            event = min(event, ifmap.lines[clock[IFMAP_AT]])
        if clock[FILTER_AT] < len(filters.lines):
            event = min(event, filters.lines[clock[FILTER_AT]])
        if clock[NEXT] < event:
            log, clock[STALLS] = write_lines(state, log, buffer, stream, event, clock[STALLS])
            clock[NEXT] = event
        else:
            log, _, _, _ = tick(clock, state, log, buffer, stream, ifmap, filters)
    return log


@numba.njit(cache=True)
def serve(
    probes: Numbers,
    clock: Numbers,
    state: Numbers,
    log: Numbers,
    buffer: Buffer,
    stream: Stream,
    ifmap: Misses,
    filters: Misses,
) -> tuple[Numbers, Numbers]:
    """Pass the lines up to the last of `probes`; return when each of them is served, and the log.

    Shapes: probes [n], ascending; served [n, 3].
    """
    served = np.empty((len(probes), 3), np.int64)
    for index, line in enumerate(probes):
        log = run_to(clock, state, log, buffer, stream, ifmap, filters, line)
        log, served[index, 0], served[index, 1], served[index, 2] = tick(
            clock, state, log, buffer, stream, ifmap, filters
        )
    return served, log


@numba.njit(cache=True)
def pass_all(
    probes: Numbers, buffer: Buffer, stream: Stream, ifmap: Misses, filters: Misses
) -> tuple[Numbers, Numbers, Numbers]:
    """Pass all lines and write what is left; return when the probes are served, clock and state.

    Shapes: probes [n], ascending, the last of them the last line; served [n, 3].
    """
    clock, state, log = new_clock(), new_state(buffer), new_log()
    served, log = serve(probes, clock, state, log, buffer, stream, ifmap, filters)
    write_rest(state, log, buffer, served[-1, 2])
    return served, clock, state
