# SPDX-License-Identifier: Apache-2.0
"""Which word passes where: the address at a place of a line, compiled."""

from __future__ import annotations

import numba

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.lines import grid_of, rows_of, start_of
from intaglio.scalesim.operand import Operand

#: No word: a place that is not used, or that lies outside of the image.
NONE = -1


@numba.njit(cache=True)
def element(operand: Operand, high: int, wide: int) -> int:
    """Return the address at a height and a width of the whole matrix."""
    major, minor = (wide, high) if operand.upright else (high, wide)
    if operand.major_row[major] + operand.minor_row[minor] >= operand.height:
        return NONE
    if operand.major_column[major] + operand.minor_column[minor] >= operand.width:
        return NONE
    return operand.major[major] + operand.minor[minor]


@numba.njit(cache=True)
def address(
    stream: Stream, operand: Operand, row_fold: int, column_fold: int, line: int, place: int
) -> int:
    """Return the address at a place of a line of a fold's grid; the place must be used."""
    high = line - place * stream.skewed
    if stream.stays:
        rows = rows_of(stream, row_fold)
        if high < 0 or high >= rows:
            return NONE
        high = row_fold * stream.rows + rows - 1 - high
    elif high < 0 or high >= stream.time:
        return NONE
    wide = column_fold * stream.columns if stream.across else row_fold * stream.rows
    return element(operand, high, wide + place)


@numba.njit(cache=True)
def last_read(stream: Stream, operand: Operand) -> int:
    """Return the last line with a word: the last window may lie outside of the image."""
    for fold in range(stream.row_folds * stream.column_folds - 1, -1, -1):
        column_fold, row_fold = fold // stream.row_folds, fold % stream.row_folds
        height, width = grid_of(stream, row_fold, column_fold)
        for line in range(height + (width - 1) * stream.skewed - 1, -1, -1):
            for place in range(width):
                if address(stream, operand, row_fold, column_fold, line, place) != NONE:
                    return fold * stream.lines + start_of(stream, row_fold) + line
    return NONE
