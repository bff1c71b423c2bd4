# SPDX-License-Identifier: Apache-2.0
"""Which line a word of a stream passes in, and how many have passed before a line: compiled sums.

Words are counted in the order in which they pass: line by line, and along the edge within a line.
Loaded late, as all that numba compiles: numba takes a while.
"""

from __future__ import annotations

from math import sqrt

import numba

from intaglio.scalesim.dataflow import Stream


@numba.njit(cache=True)
def ramp(height: int, width: int, lines: int) -> int:
    """Return the words in the first lines of a skewed grid."""
    low, high = min(height, width), max(height, width)
    if lines <= low:
        return lines * (lines + 1) // 2
    if lines <= high:
        return low * (low + 1) // 2 + (lines - low) * low
    left = high + low - 1 - lines
    return height * width - left * (left + 1) // 2


@numba.njit(cache=True)
def ramp_line(height: int, width: int, word: int) -> int:
    """Return the line of a word of a skewed grid."""
    low, high = min(height, width), max(height, width)
    rising = low * (low + 1) // 2
    if word < rising:
        line = int((sqrt(8.0 * word + 1.0) - 1.0) / 2.0)
    elif word < rising + (high - low) * low:
        return low + (word - rising) // low
    else:
        left = height * width - 1 - word
        line = high + low - 2 - int((sqrt(8.0 * left + 1.0) - 1.0) / 2.0)
    while ramp(height, width, line) > word:  # a square root is not exact
        line -= 1
    while ramp(height, width, line + 1) <= word:
        line += 1
    return line


@numba.njit(cache=True)
def rows_of(stream: Stream, row_fold: int) -> int:
    """Return the rows that a fold uses."""
    return min(stream.rows, stream.row_extent - row_fold * stream.rows)


@numba.njit(cache=True)
def columns_of(stream: Stream, column_fold: int) -> int:
    """Return the columns that a fold uses."""
    return min(stream.columns, stream.column_extent - column_fold * stream.columns)


@numba.njit(cache=True)
def start_of(stream: Stream, row_fold: int) -> int:
    """Return a fold's first line with a word, counted from its own first line."""
    return stream.lead + (stream.rows - rows_of(stream, row_fold)) * stream.stays


@numba.njit(cache=True)
def grid_of(stream: Stream, row_fold: int, column_fold: int) -> tuple[int, int]:
    """Return height and width of a fold's grid."""
    rows, columns = rows_of(stream, row_fold), columns_of(stream, column_fold)
    return (rows if stream.stays else stream.time), (columns if stream.across else rows)


@numba.njit(cache=True)
def words_of(stream: Stream, column_fold: int, row_folds: int) -> int:
    """Return the words of the first row folds of a column fold."""
    rows = min(stream.row_extent, row_folds * stream.rows)
    columns = columns_of(stream, column_fold)
    if stream.stays:
        return rows * columns
    return stream.time * (columns * row_folds if stream.across else rows)


@numba.njit(cache=True)
def words_before(stream: Stream, line: int) -> int:
    """Return how many words pass before a line."""
    fold, inside = line // stream.lines, line % stream.lines
    if fold >= stream.row_folds * stream.column_folds:
        fold, inside = stream.row_folds * stream.column_folds - 1, stream.lines
    column_fold, row_fold = fold // stream.row_folds, fold % stream.row_folds
    words = column_fold * words_of(stream, 0, stream.row_folds)
    words += words_of(stream, column_fold, row_fold)
    height, width = grid_of(stream, row_fold, column_fold)
    inside -= start_of(stream, row_fold)
    if inside <= 0:
        return words
    if stream.skewed:
        return words + ramp(height, width, min(inside, height + width - 1))
    return words + width * min(inside, height)


@numba.njit(cache=True)
def line_of(stream: Stream, word: int) -> int:
    """Return the line that a word passes in."""
    every = words_of(stream, 0, stream.row_folds)
    column_fold = min(word // every, stream.column_folds - 1)
    word -= column_fold * every
    row_fold = min(word // words_of(stream, column_fold, 1), stream.row_folds - 1)
    word -= words_of(stream, column_fold, row_fold)
    height, width = grid_of(stream, row_fold, column_fold)
    line = ramp_line(height, width, word) if stream.skewed else word // width
    fold = column_fold * stream.row_folds + row_fold
    return fold * stream.lines + start_of(stream, row_fold) + line
