# SPDX-License-Identifier: Apache-2.0
"""The traces of a layer: what passes the array's edges, and when the output reaches DRAM.

Written as time goes on, some lines at once, so that memory does not grow with the layer. The DRAM
traces of the inputs are left out: in CALC mode the tool prints them in the order of a Python set.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from intaglio.scalesim.clock import new_clock, serve
from intaglio.scalesim.config import Config
from intaglio.scalesim.dataflow import FILTER, IFMAP, OFMAP
from intaglio.scalesim.digits import LONGEST, dram_lines, sram_lines
from intaglio.scalesim.layer_run import LayerRun, misses, prepare
from intaglio.scalesim.operand import Numbers, operand
from intaglio.scalesim.topology import Layer
from intaglio.scalesim.writes import BURSTS, CLOSED, new_log, new_state, write_rest

SRAM_TRACES = ("IFMAP_SRAM_TRACE.csv", "FILTER_SRAM_TRACE.csv", "OFMAP_SRAM_TRACE.csv")
DRAM_TRACE = "OFMAP_DRAM_TRACE.csv"
#: Bytes of text that are put together before they are written.
CHUNK = 4 << 20


def write_traces(
    folder: Path, layer: Layer, config: Config, passed: Callable[[int], object]
) -> None:
    """Write the traces of a layer into a folder.

    Args:
        folder: made here.
        layer: what to trace.
        config: on what machine.
        passed: called with the number of lines that have been written since the last call.
    """
    folder.mkdir()
    run = prepare(layer, config)
    state, clock, log = new_state(run.buffer), new_clock(), new_log()
    sides = [
        (
            run.placement.streams[which],
            operand(layer, run.placement, which, sparse=config.sparse),
            at,
        )
        for which, at in (
            (IFMAP, config.ifmap_offset),
            (FILTER, config.filter_offset),
            (OFMAP, config.ofmap_offset),
        )
    ]
    total = run.placement.folds * run.placement.lines
    at_once = _at_once(max(config.rows, config.columns))
    text = np.empty(_bytes(max(config.rows, config.columns), at_once), np.uint8)
    last = 0
    with ExitStack() as stack:
        files = [stack.enter_context((folder / name).open("wb")) for name in SRAM_TRACES]
        for first in range(0, total, at_once):
            lines = np.arange(first, min(first + at_once, total))
            served, log = serve(
                *(lines, clock, state, log, run.buffer, sides[2][0]),
                *(misses(run.ifmap), misses(run.filter)),
            )
            last = int(served[-1, 2])
            for index, (stream, words, at) in enumerate(sides):
                cycles = np.ascontiguousarray(served[:, index])
                end = sram_lines(text, stream, words, at, first, cycles)
                files[index].write(text[:end].data)
            passed(len(lines))
    log = write_rest(state, log, run.buffer, last)
    with (folder / DRAM_TRACE).open("wb") as file:
        _write_dram(file, run, log[: state[BURSTS]], int(state[CLOSED]))


def _write_dram(file: BinaryIO, run: LayerRun, log: Numbers, lines: int) -> None:
    """Write the DRAM trace of the output, as its bursts were noted."""
    words = operand(run.layer, run.placement, OFMAP, sparse=run.config.sparse)
    at_once = _at_once(run.buffer.bandwidth)
    text, walk = np.empty(_bytes(run.buffer.bandwidth, at_once), np.uint8), np.zeros(6, np.int64)
    for first in range(0, lines, at_once):
        end = dram_lines(
            *(text, run.placement.streams[OFMAP], words, run.config.ofmap_offset),
            *(run.buffer, log, walk, min(at_once, lines - first)),
        )
        file.write(text[:end].data)


def _at_once(width: int) -> int:
    return max(1, CHUNK // (LONGEST * (width + 1)))


def _bytes(width: int, lines: int) -> int:
    return lines * (LONGEST * (width + 1))
