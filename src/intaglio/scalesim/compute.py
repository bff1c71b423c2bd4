# SPDX-License-Identifier: Apache-2.0
"""What follows from a placement alone: cycles without stalls, use of the array, SRAM accesses.

All are closed forms. The averages over folds are summed in the order of the folds, as the tool sums
them, so that the last digit is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.scalesim.dataflow import DATAFLOWS, FILTER, IFMAP, OFMAP, Placement
from intaglio.scalesim.topology import Layer

FOLDS_AT_ONCE = 1 << 18
#: Not worth an array.
FEW_FOLDS = 64


@dataclass(frozen=True)
class Compute:
    """Lines are cycles of the array without stalls; accesses are words.

    `ifmap_reads` is no whole number where the run is sparse and its dataflow ws: the tool then
    multiplies by M / N.
    """

    lines: int
    mapping_efficiency: float
    compute_utilization: float
    ifmap_reads: int | float
    filter_reads: int
    ofmap_writes: int


def compute(layer: Layer, placement: Placement, *, sparse: bool) -> Compute:
    """Return what a layer takes of an array."""
    cells = placement.rows * placement.columns
    # the tool counts the skew of ws and is twice
    lines = placement.lines + (placement.columns - 1) * placement.loaded
    used = [_used(placement, edge) for edge in ((0, 0), (1, 0), (0, 1), (1, 1))]
    writes = placement.streams[OFMAP].words
    if not placement.loaded:
        # https://github.com/scalesim-project/SCALE-Sim/issues/166
        writes += placement.folds * (placement.rows + placement.columns)
    reads: int | float = placement.streams[IFMAP].words
    if sparse and placement.dataflow == DATAFLOWS["ws"]:
        reads = _repeated_reads(layer, placement)
    return Compute(
        lines=placement.folds * placement.lines,
        mapping_efficiency=_mean(placement, [u / cells for u in used]) * 100,
        compute_utilization=_mean(placement, [u * placement.time / (cells * lines) for u in used])
        * 100,
        ifmap_reads=reads,
        filter_reads=placement.streams[FILTER].words,
        ofmap_writes=writes,
    )


def _used(placement: Placement, edge: tuple[int, int]) -> int:
    """Return the cells that a fold uses: of the last row fold, of the last column fold, or not."""
    rows = min(placement.rows, placement.row_extent)
    columns = min(placement.columns, placement.column_extent)
    if edge[0]:
        rows = placement.row_extent - (placement.row_folds - 1) * placement.rows
    if edge[1]:
        columns = placement.column_extent - (placement.column_folds - 1) * placement.columns
    return rows * columns


def _mean(placement: Placement, values: list[float]) -> float:
    """Average over all folds a value that only edge folds have differently."""
    return _sum(placement, values) / placement.folds


def _sum(placement: Placement, values: list[float]) -> float:
    """Add a value of every fold to the sum of those before it, one by one."""
    inner, last_row, last_column, corner = values
    if placement.folds <= FEW_FOLDS:
        total = 0.0
        for column_fold in range(placement.column_folds):
            last = column_fold == placement.column_folds - 1
            for _ in range(placement.row_folds - 1):
                total += last_column if last else inner
            total += corner if last else last_row
        return total
    column = np.full(placement.row_folds, inner)
    column[-1] = last_row
    total, left = 0.0, placement.column_folds - 1
    while left:
        at_once = min(left, 1 + FOLDS_AT_ONCE // placement.row_folds)
        total = _added(total, np.tile(column, at_once))
        left -= at_once
    column[:] = last_column
    column[-1] = corner
    return _added(total, column)


def _added(total: float, values: np.ndarray) -> float:
    values[0] += total
    return float(np.add.accumulate(values)[-1])  # adds in order, which sum does not


def _repeated_reads(layer: Layer, placement: Placement) -> float:
    rows = min(placement.rows, placement.row_extent)
    last = placement.row_extent - (placement.row_folds - 1) * placement.rows
    full, edge = (r * placement.time * (layer.block / layer.kept) for r in (rows, last))
    return _sum(placement, [full, edge, full, edge])
