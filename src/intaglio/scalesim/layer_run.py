# SPDX-License-Identifier: Apache-2.0
"""One layer on one machine: what it misses, when each line passes, and all its numbers.

Loaded late: it brings what numba compiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError
from intaglio.scalesim.clock import FILTER_LAST, IFMAP_LAST, STALLS, Misses, pass_all
from intaglio.scalesim.compute import compute
from intaglio.scalesim.config import Config
from intaglio.scalesim.dataflow import FILTER, IFMAP, OFMAP, Placement
from intaglio.scalesim.flushes import partial
from intaglio.scalesim.operand import operand
from intaglio.scalesim.reads_calc import Reads, reads_calc
from intaglio.scalesim.reads_user import Prefetches, reads_user
from intaglio.scalesim.report import Row, Storage
from intaglio.scalesim.storage import storage
from intaglio.scalesim.topology import Layer
from intaglio.scalesim.words import last_read
from intaglio.scalesim.writes import (
    FIRST,
    LAST,
    WRITTEN,
    Buffer,
    write_buffer,
)

#: Words that are fetched in order, which is held as a whole.
LARGEST_FETCH = 1 << 28
NEVER = Misses(np.empty(0, np.int64), np.empty(0, np.int64), 0)


@dataclass(frozen=True)
class LayerRun:
    """A layer before time begins: where its words pass, and which of them are missed."""

    layer: Layer
    config: Config
    placement: Placement
    ifmap: Reads | Prefetches
    filter: Reads | Prefetches

    @property
    def buffer(self) -> Buffer:
        """The write buffer."""
        return write_buffer(self.config.ofmap_buffer, self.config.ofmap_bandwidth)


def prepare(layer: Layer, config: Config) -> LayerRun:
    """Place a layer on the array and find its misses.

    Raises:
        ModelError: the tool cannot run it; the text names the layer.
    """
    sparse = config.sparse
    placement = Placement.of(layer, config.dataflow, config.rows, config.columns, sparse=sparse)
    if placement.folds * placement.lines == 1:
        raise ModelError(
            f"layer {layer.name!r} must take more than one cycle: SCALE-Sim counts one less, and "
            "divides by that"
        )
    if config.user and layer.pixels * layer.taps > LARGEST_FETCH:
        raise ModelError(
            f"layer {layer.name!r} must have at most {LARGEST_FETCH} words in all windows where "
            f"bandwidths are given (USER), not {layer.pixels * layer.taps}"
        )
    reads: list[Reads | Prefetches] = []
    for which, buffer, bandwidth in (
        (IFMAP, config.ifmap_buffer, config.ifmap_bandwidth),
        (FILTER, config.filter_buffer, config.filter_bandwidth),
    ):
        if config.user:
            words = operand(layer, placement, which, sparse=sparse)
            reads.append(reads_user(placement.streams[which], words, buffer, bandwidth))
        else:
            reads.append(reads_calc(layer, placement, which, buffer, bandwidth, sparse=sparse))
    return LayerRun(layer, config, placement, reads[0], reads[1])


def misses(reads: Reads | Prefetches) -> Misses:
    """Return the misses that the clock waits for."""
    return NEVER if isinstance(reads, Reads) else Misses(reads.lines, reads.moves, reads.each + 1)


def run_layer(layer: Layer, config: Config) -> Row:
    """Pass all lines of a layer, and return its numbers.

    Raises:
        ModelError: the tool cannot run it; the text names the layer.
    """
    run = prepare(layer, config)
    placement, output = run.placement, run.placement.streams[OFMAP]
    ifmap, filters = placement.streams[IFMAP], placement.streams[FILTER]
    last = ifmap.last_line
    if partial(layer):
        last = int(last_read(ifmap, operand(layer, placement, IFMAP, sparse=config.sparse)))
    ends = (
        *(ifmap.first_line, last, filters.first_line, filters.last_line),
        *(output.first_line, output.last_line, placement.folds * placement.lines - 1),
    )
    probes = sorted(set(ends))
    served, clock, state = pass_all(
        *(np.array(probes), run.buffer, output, misses(run.ifmap), misses(run.filter))
    )
    times = dict(zip(probes, served.tolist(), strict=True))
    total = times[ends[-1]][2]
    sram = [times[line][operand_index // 2] for operand_index, line in enumerate(ends[:6])]
    reads = (
        _timed(run.ifmap, int(clock[IFMAP_LAST])),
        _timed(run.filter, int(clock[FILTER_LAST])),
        Reads(int(state[WRITTEN]), int(state[FIRST]), int(state[LAST])),
    )
    return _row(run, total, int(clock[STALLS]), sram, reads)


def _timed(reads: Reads | Prefetches, last: int) -> Reads:
    """Return the DRAM reads of an operand, the last of which was at a cycle."""
    return reads if isinstance(reads, Reads) else Reads(reads.words, -reads.ahead, last)


def _row(
    run: LayerRun, total: int, stalls: int, sram: list[int], dram: tuple[Reads, Reads, Reads]
) -> Row:
    """Put a layer's numbers together; `sram` holds the first and last cycle of each operand."""
    layer, config = run.layer, run.config
    costs = compute(layer, run.placement, sparse=config.sparse)
    ifmap, filters, ofmap = dram
    words = storage(layer, config.storage)
    return Row(
        name=layer.name,
        total_cycles_incl_prefetch=ofmap.stop - min(ifmap.start, filters.start),
        total_cycles=total,
        stall_cycles=stalls,
        overall_util_pct=layer.macs * 100 / (total * config.rows * config.columns),
        mapping_efficiency_pct=costs.mapping_efficiency,
        compute_util_pct=costs.compute_utilization,
        avg_ifmap_sram_bw=costs.ifmap_reads / total,
        avg_filter_sram_bw=costs.filter_reads / total,
        avg_ofmap_sram_bw=costs.ofmap_writes / total,
        avg_ifmap_dram_bw=ifmap.words_a_cycle,
        avg_filter_dram_bw=filters.words_a_cycle,
        avg_ofmap_dram_bw=ofmap.words_a_cycle,
        sram_ifmap_start_cycle=sram[0],
        sram_ifmap_stop_cycle=sram[1],
        sram_ifmap_reads=costs.ifmap_reads,
        sram_filter_start_cycle=sram[2],
        sram_filter_stop_cycle=sram[3],
        sram_filter_reads=costs.filter_reads,
        sram_ofmap_start_cycle=sram[4],
        sram_ofmap_stop_cycle=sram[5],
        sram_ofmap_writes=costs.ofmap_writes,
        dram_ifmap_start_cycle=ifmap.start,
        dram_ifmap_stop_cycle=ifmap.stop,
        dram_ifmap_reads=ifmap.words,
        dram_filter_start_cycle=filters.start,
        dram_filter_stop_cycle=filters.stop,
        dram_filter_reads=filters.words,
        dram_ofmap_start_cycle=ofmap.start,
        dram_ofmap_stop_cycle=ofmap.stop,
        dram_ofmap_writes=ofmap.words,
        storage=Storage(*words, words[2] / total) if config.sparse else None,
    )
