# SPDX-License-Identifier: Apache-2.0
"""DRAM reads where bandwidths are given (USER): a buffer that fetches ahead in a fixed order.

An operand is fetched in the order in which the array will need it, fold by fold, words that windows
share again and again. That order is cut into sets. Half of the buffer holds the sets of a window;
a word that is in none of them moves the window on by the other half, round and round, until it is.
Which words miss does not depend on time, so the misses are found first, and timed by `clock`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.lines import grid_of, start_of
from intaglio.scalesim.operand import Numbers, Operand
from intaglio.scalesim.words import NONE, address, element

#: A buffer is managed in hundredths.
SHARES = 100


@dataclass(frozen=True)
class Prefetches:
    """Lines on which an operand misses, and how often each moves the window on.

    `ahead` DRAM lines are fetched before the first cycle and `each` with every move, of `bandwidth`
    words each.
    """

    lines: Numbers
    moves: Numbers
    ahead: int
    each: int
    bandwidth: int

    @property
    def words(self) -> int:
        """DRAM reads, whole lines, whatever is in them."""
        return (self.ahead + int(self.moves.sum()) * self.each) * self.bandwidth


def reads_user(stream: Stream, operand: Operand, buffer: int, bandwidth: int) -> Prefetches:
    """Return the misses of an operand through a buffer of so many words."""
    active, size = -(-buffer // 2), -(-buffer // SHARES)
    words, places = fetch_order(stream, operand)
    sets = len(words) // size + 1
    held = min(-(-active // size), sets)
    moved = min(-(-(buffer - active) // size), sets - held)
    lines = np.empty((0, 2), np.int64)
    if moved:
        lines = find_misses(stream, operand, words, size, held, moved)
    ahead = min(-(-active // bandwidth), -(-places // bandwidth))
    each = -(-(buffer - active) // bandwidth)
    columns = np.ascontiguousarray(lines[:, 0]), np.ascontiguousarray(lines[:, 1])
    return Prefetches(*columns, ahead, each, bandwidth)


@numba.njit(cache=True)
def fetch_order(stream: Stream, operand: Operand) -> tuple[Numbers, int]:
    """Return the words in the order in which they are fetched, and their number with gaps.

    Streams go along the diagonals of their folds one below the other, as they are needed; what
    stays in the array goes row by row.
    """
    folds = stream.column_folds if stream.across else stream.row_folds
    height = stream.row_extent if stream.stays else stream.time
    extent = stream.column_extent if stream.across else stream.row_extent
    rows, width = folds * height, stream.width
    words, count = np.empty(height * extent, np.int32), 0
    for line in range(rows if stream.stays else rows + width - 1):
        for place in range(width):
            row = line if stream.stays else line - place
            if row < 0:
                break
            wide = row // height * width + place if row < rows else extent
            if wide < extent:
                word = element(operand, row % height, wide)
                if word != NONE:
                    words[count] = word
                    count += 1
    return words[:count], rows * width


@numba.njit(cache=True)
def find_misses(
    stream: Stream, operand: Operand, words: Numbers, size: int, held: int, moved: int
) -> Numbers:
    """Return a row for each line with misses: the line, and how often the window moves."""
    inside = np.zeros(operand.size, np.int32)
    sets, first = len(words) // size + 1, np.int64(0)  # typed, or `_count` is compiled again
    _count(inside, words, size, first, held, np.int64(1))
    found, count = np.empty((64, 2), np.int64), 0
    for fold in range(stream.row_folds * stream.column_folds):
        column_fold, row_fold = fold // stream.row_folds, fold % stream.row_folds
        height, width = grid_of(stream, row_fold, column_fold)
        start = fold * stream.lines + start_of(stream, row_fold)
        for line in range(height + (width - 1) * stream.skewed):
            moves = 0
            for place in range(width):
                word = address(stream, operand, row_fold, column_fold, line, place)
                while word != NONE and inside[word] == 0:
                    _count(inside, words, size, first, moved, np.int64(-1))
                    _count(inside, words, size, (first + held) % sets, moved, np.int64(1))
                    first = (first + moved) % sets
                    moves += 1
            if moves:
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[count, 0], found[count, 1] = start + line, moves
                count += 1
    return found[:count]


@numba.njit(cache=True)
def _count(inside: Numbers, words: Numbers, size: int, first: int, sets: int, by: int) -> None:
    """Count the words of some sets in or out of the window."""
    total = len(words) // size + 1
    for index in range(first, first + sets):
        at = index % total * size
        for word in words[at : at + size]:
            inside[word] += by
