# SPDX-License-Identifier: Apache-2.0
"""Row buffers just large enough that no unit waits for another without need.

A folding fixes what each unit needs on its own. Units that are about equally fast can still hold
each other up where one wants rows in bursts, as at the start of a frame. A few rows more between
them cure that; how few is found by following the exact timing, not by a rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from intaglio.arch.dataflow import capacity, dataflow
from intaglio.arch.design import Design
from intaglio.hw.unit import Fold

#: Rows tried, for all buffers alike at first. A pipeline that still stalls with the last of them
#: does so for another reason.
SLACKS = (1, 2, 3, 4, 6, 8, 12, 16)


def settle_buffers(design: Design) -> Design:
    """Return the design with the least slack that brings its interval to the slowest unit's.

    First the least slack for all buffers alike is found, then each buffer gives up what the
    interval does not need. Where no slack helps or fits the device, the fastest design found.
    """
    best = design
    for slack in SLACKS:
        if _ideal(best):
            break
        wider = _with(design, dict.fromkeys(_buffered(design), slack))
        if not wider.resources.fits(capacity(design.device)):
            break
        if wider.cycles.interval < best.cycles.interval:
            best = wider
    return _trimmed(best) if best is not design else design


def _ideal(design: Design) -> bool:
    return design.cycles.interval <= design.bottleneck.unit.interval


def _trimmed(design: Design) -> Design:
    """Take slack away, buffer by buffer, as long as the interval stays."""
    for node in _buffered(design):
        for slack in [0, *SLACKS]:
            if slack >= design.folds[node].slack:
                break
            tighter = _with(design, {node: slack})
            if tighter.cycles.interval <= design.cycles.interval:
                design = tighter
                break
    return design


def _buffered(design: Design) -> Sequence[str]:
    """The nodes whose units hold rows."""
    return [instance.node for instance in design.instances if "rows" in instance.unit.internal]


def _with(design: Design, slacks: Mapping[str, int]) -> Design:
    folds: dict[str, Fold] = dict(design.folds)
    for node, slack in slacks.items():
        folds[node] = replace(folds[node], slack=slack)
    return dataflow(design.program, design.device, folds)
