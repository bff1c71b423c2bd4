# SPDX-License-Identifier: Apache-2.0
"""Buffers just large enough that no unit waits for another without need.

A folding fixes what each unit needs on its own. Units that are about equally fast can still hold
each other up where one wants rows in bursts, as at the start of a frame, or pauses. A few rows or
beats more between them cure that; how few is found by the exact timing, not by a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from intaglio.arch.buffers import (
    enough,
    fork_ends,
    least_buffers,
    least_room,
    pausing_ends,
    reachable,
)
from intaglio.arch.dataflow import capacity, dataflow
from intaglio.arch.design import Design

#: Rows tried, for all buffers alike at first. A pipeline that still stalls with the last of them
#: does so for another reason.
SLACKS = (1, 2, 3, 4, 6, 8, 12, 16)


def settle_buffers(design: Design) -> Design:
    """Return the design with the least slack that brings its interval to the slowest unit's.

    First the least slack for all row buffers alike is found, then each gives up what the interval
    does not need, and so do buffers at ends of forks and before units that pause. Where none of it
    helps or fits the device, the design as it is.
    """
    if design.cycles.interval <= design.bottleneck.unit.interval:
        return design
    full = _with(design, {}, dict.fromkeys([*fork_ends(design), *pausing_ends(design)], 1))
    target = reachable(full, _rows(full, SLACKS[-1]))
    if target is None or target >= design.cycles.interval:
        return design
    slack = next(s for s in (0, *SLACKS) if reachable(full, _rows(full, s)) == target)
    rows = _rows(full, slack)
    deep = enough(full, target, rows)
    for channel in rows:
        rows[channel] = least_room(full, channel, target, {**rows, **deep})
    slacks = {channel.removesuffix(".rows"): n - full.room(channel) for channel, n in rows.items()}

    def build(buffers: Mapping[str, int]) -> Design:
        return _with(design, slacks, buffers)

    settled = build(least_buffers(build, build(full.buffers), target, {}))
    return settled if settled.resources.fits(capacity(design.device)) else design


def _rows(design: Design, slack: int) -> dict[str, int]:
    """Return the room of every row buffer with so many rows more."""
    buffered = [f"{i.name}.rows" for i in design.instances if "rows" in i.unit.internal]
    return {channel: design.room(channel) + slack for channel in buffered}


def _with(design: Design, slacks: Mapping[str, int], buffers: Mapping[str, int]) -> Design:
    folds = {
        node: replace(fold, slack=fold.slack + slacks.get(node, 0))
        for node, fold in design.folds.items()
    }
    return dataflow(design.program, design.device, folds, buffers)
