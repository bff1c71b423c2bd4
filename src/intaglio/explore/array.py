# SPDX-License-Identifier: Apache-2.0
"""The best array for a program on a device, what comes next to it, and the whole trade-off."""

from __future__ import annotations

from intaglio.arch.dataflow import capacity
from intaglio.devices.description import Device
from intaglio.explore.array_candidates import ArrayExploration, Space
from intaglio.explore.array_front import whole_front
from intaglio.explore.array_search import ArraySearch
from intaglio.ir.graph import Program

#: Arrays after the best one that are kept, each of another shape or dataflow.
RUNNERS_UP = 3


def best_array(
    program: Program,
    device: Device,
    space: Space | None = None,
    *,
    fill: float = 1.0,
    logic: float | None = None,
    front: bool = False,
    progress: bool = False,
) -> ArrayExploration:
    """Return the array of fewest cycles that fits a device, proven, and what comes next to it.

    Args:
        program: what to run.
        device: what it has to fit.
        space: which arrays are looked at: all by default.
        fill: share of multipliers and block RAMs that may be taken.
        logic: that of tables and flip-flops, where it is another.
        front: find the whole front too.
        progress: show it, where it takes longer than two seconds.

    Exactness: optimal in cycles, for a memory that answers as `space` says; the front is that of
    all arrays that `space` and the buffers' sizes allow. Cells are estimates.

    Raises:
        InfeasibleError: no array fits; the text says by how much.
        ModelError: a layer cannot be run by any array.
    """
    search = ArraySearch(program, device, space or Space(), progress=progress)
    bound = capacity(device, fill, logic)
    best, *others = search.best(bound, 1 + RUNNERS_UP)
    return ArrayExploration(
        search.design(best),
        tuple(whole_front(search, bound) if front else ()),
        tuple(others),
        search.least_cycles(bound),
        len(search.predicted),
        search.bounded,
    )
