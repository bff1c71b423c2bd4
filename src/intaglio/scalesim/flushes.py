# SPDX-License-Identifier: Apache-2.0
"""Where a read buffer that forgets everything when it is full does so: compiled.

Where no word lies in two windows (filters, products of matrices) that is arithmetic. Elsewhere a
word is met by neighboring windows, and the words of a pixel always together: a `touch` is the run
of `unit` words in which a window meets a pixel, or the part of a pixel that lies in one fold. Its
words pass in consecutive lines, the first at the touch's `base`. A cell counts how many words of a
run are held. These are always the last ones: a touch that began before a flush goes on after it.

Touches are counted in blocks of many lines for as long as a block cannot fill the buffer, which
need not be in order; and line by line, in order, where the buffer may become full.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.lines import columns_of, line_of, rows_of, start_of
from intaglio.scalesim.operand import Numbers
from intaglio.scalesim.topology import Layer

#: Where the pixels lie: in time, along the rows of the array, or along its columns.
IN_TIME, ALONG_ROWS, ALONG_COLUMNS = range(3)
#: Codes of cells are 32 bits wide; beyond this they begin anew.
LARGEST_CODE = 1 << 30
#: Blocks of fewer touches for each group are not worth setting up.
LEAST_BLOCK = 4
#: State of a scan: words held, flushes, line of the last, whether two were on one line, and what
#: codes count from.
HELD, FLUSHES, LAST, CLASH, FLOOR = range(5)


class Touches(NamedTuple):
    """An image as cells of `unit` words, in planes, and the groups of taps that meet a cell.

    Columns that a tap meets in neighboring windows are side by side in memory: a row of `pitch`
    cells is sorted by the remainder of column by stride. `cell` is where a group meets the first
    window, `row` and `column` its tap. `window` is how much further it meets any other, and empty
    where a window lies partly outside of the image.
    """

    unit: int
    along: int
    height: int
    width: int
    planes: int
    pitch: int
    out_width: int
    stride: int
    stride_width: int
    row: Numbers
    column: Numbers
    cell: Numbers
    window: Numbers


def touches(
    *,
    layer: Layer,
    taps: Numbers,
    unit: int,
    along: int,
) -> Touches:
    """Return how the windows of a layer meet its image in runs of so many words.

    Args:
        layer: a convolution.
        taps: the first tap of every group.
        unit: taps of a group, which are words of one pixel.
        along: where the pixels lie.
    """
    row, rest = np.divmod(taps, layer.filter_width * layer.channels)
    column, channel = np.divmod(rest, layer.channels)
    stride = layer.stride_width
    pitch = -(-layer.width // stride)
    plane_row = channel // unit * layer.height + row
    cell = plane_row * (pitch * stride) + column % stride * pitch + column // stride
    down = np.arange(0 if partial(layer) else layer.out_height) * (layer.stride * pitch * stride)
    window = down[:, np.newaxis] + np.arange(layer.out_width)
    return Touches(
        unit=unit,
        along=along,
        height=layer.height,
        width=layer.width,
        planes=layer.channels // unit,
        pitch=pitch * stride,
        out_width=layer.out_width,
        stride=layer.stride,
        stride_width=stride,
        row=row,
        column=column,
        cell=cell,
        window=window.ravel(),
    )


def partial(layer: Layer) -> bool:
    """Tell whether a window lies partly outside of the image."""
    down = (layer.out_height - 1) * layer.stride + layer.filter_height
    right = (layer.out_width - 1) * layer.stride_width + layer.filter_width
    return down > layer.height or right > layer.width


class Fold(NamedTuple):
    """The touches of a fold: those of some pixels with some groups."""

    first_pixel: int
    pixels: int
    first_group: int
    groups: int
    bases: int
    densest: int


@numba.njit(cache=True)
def disjoint(stream: Stream, capacity: int) -> tuple[int, int, int, int]:
    """Return misses, flushes, the last one's line and a clash where all words are met in turn.

    A block of distinct words passes so many times over. One that fits is read once, and once more
    as far as a flush in its first pass has forgotten it; one that does not is read every time.
    """
    blocks, passes, size = 1, 1, stream.row_extent * stream.column_extent
    if not stream.stays:
        blocks, passes = (
            (stream.column_folds, stream.row_folds) if stream.across else (1, stream.column_folds)
        )
        size = stream.time * stream.row_extent
    state = np.zeros(5, np.int64)
    state[LAST] = -1
    misses, first = 0, 0
    for block in range(blocks):
        if not stream.stays and stream.across:
            size = stream.time * columns_of(stream, block)
        met = size if size < capacity else size * passes
        flushes = (state[HELD] + met) // capacity
        # two can be on one line only where the line can fill the buffer
        looked_at = 0 if stream.width > capacity else max(flushes - 1, 0)
        for flush in range(looked_at, flushes):
            _flush(state, line_of(stream, first + (flush + 1) * capacity - state[HELD] - 1), 0)
        state[FLUSHES] += looked_at
        left = state[HELD] + met - flushes * capacity
        misses += met
        if size < capacity and flushes and passes > 1:
            misses += size - left
            left = size
        state[HELD] = left
        first += size * passes
    return misses, state[FLUSHES], state[LAST], state[CLASH]


@numba.njit(cache=True)
def _flush(state: Numbers, line: int, unit: int) -> None:
    """Note a flush."""
    state[CLASH] |= line == state[LAST]
    state[LAST] = line
    state[FLUSHES] += 1
    state[FLOOR] += unit


@numba.njit(cache=True)
def scan(stream: Stream, touches: Touches, capacity: int) -> tuple[int, int, int, int]:
    """Return misses, flushes, the last one's line and a clash of an image whose windows overlap."""
    cells = np.zeros(touches.planes * touches.height * touches.pitch, np.int32)
    state = np.zeros(5, np.int64)
    state[LAST] = -1
    changes = np.zeros(stream.lines + 2 * touches.unit + 2, np.int64)
    runs = np.zeros((stream.width, 3), np.int64)
    for column_fold in range(stream.column_folds):
        for row_fold in range(stream.row_folds):
            fold = _fold(stream, touches, row_fold, column_fold)
            number = column_fold * stream.row_folds + row_fold
            start = number * stream.lines + start_of(stream, row_fold)
            _scan_fold(stream, touches, fold, capacity, start, cells, state, changes, runs)
    return state[FLUSHES] * capacity + state[HELD], state[FLUSHES], state[LAST], state[CLASH]


@numba.njit(cache=True)
def _fold(stream: Stream, touches: Touches, row_fold: int, column_fold: int) -> Fold:
    """Return the touches of a fold."""
    unit, rows = touches.unit, rows_of(stream, row_fold)
    pixel, pixels, group, groups = 0, stream.time, row_fold * stream.rows // unit, rows // unit
    if touches.along == ALONG_ROWS:
        pixel, pixels, group, groups = row_fold * stream.rows, rows, 0, len(touches.row)
    elif touches.along == ALONG_COLUMNS:
        pixel, pixels = column_fold * stream.columns, columns_of(stream, column_fold)
    bases = groups * unit
    if stream.skewed:
        bases += pixels - unit
        return Fold(pixel, pixels, group, groups, bases, min(groups, (pixels - 1) // unit + 1))
    return Fold(pixel, pixels, group, groups, bases, pixels)


@numba.njit(cache=True)
def _scan_fold(
    stream: Stream,
    touches: Touches,
    fold: Fold,
    capacity: int,
    start: int,
    cells: Numbers,
    state: Numbers,
    changes: Numbers,
    runs: Numbers,
) -> None:
    """Follow a fold from flush to flush."""
    unit = touches.unit
    # typed, or what they are handed to is compiled twice
    base, cut, place = int(np.int64(0)), int(np.int64(-1)), int(np.int64(-1))
    # words that may pass while touches that began before a block are still under way
    late = min(fold.densest * unit * (unit - 1) // 2, stream.width * (unit - 1)) * stream.skewed
    while base < fold.bases:
        room = capacity - 1 - state[HELD] - late
        count = room // (fold.densest * unit) * (1 if stream.skewed else unit)
        count = min(count, fold.bases - base)
        meant = min(fold.groups, (fold.pixels + count) // unit + 1) if stream.skewed else 1
        if count > 0 and (
            count * fold.densest >= LEAST_BLOCK * meant or count == fold.bases - base
        ):
            state[HELD] += _block(
                stream, touches, fold, base, base + count, cut, place, cells, state[FLOOR]
            )
            base += count
            continue
        cut, place = _sweep(
            stream, touches, fold, base, cut, place, capacity, cells, state, changes, runs
        )
        if cut < 0:
            break
        _flush(state, start + cut, unit)
        if state[FLOOR] > LARGEST_CODE:
            cells[:] = 0
            state[FLOOR] = 0
        state[HELD] = 0
        base = max(0, cut - unit + 1) if stream.skewed else cut - cut % unit


@numba.njit(cache=True, inline="always")
def _passed(touches: Touches, base: int, pixel: int, group: int, cut: int, place: int) -> int:
    """Return how many words of a touch passed up to a place of the line of the last flush."""
    word = cut - base
    if word < 0:
        return 0
    if word >= touches.unit:
        return touches.unit
    at = group * touches.unit + word if touches.along == IN_TIME else pixel
    return word + (1 if at <= place else 0)


@numba.njit(cache=True, inline="always")
def _cell(touches: Touches, fold: Fold, pixel: int, group: int) -> int:
    """Return the cell of a touch, or -1 outside of the image."""
    window = fold.first_pixel + pixel
    group += fold.first_group
    if len(touches.window):
        return touches.cell[group] + touches.window[window]
    out_row, out_column = window // touches.out_width, window % touches.out_width
    if out_row * touches.stride + touches.row[group] >= touches.height:
        return -1
    if out_column * touches.stride_width + touches.column[group] >= touches.width:
        return -1
    return touches.cell[group] + out_row * touches.stride * touches.pitch + out_column


@numba.njit(cache=True)
def _block(
    stream: Stream,
    touches: Touches,
    fold: Fold,
    first: int,
    end: int,
    cut: int,
    place: int,
    cells: Numbers,
    floor: int,
) -> int:
    """Return how many words the touches with a base from `first` to before `end` add."""
    unit, added = touches.unit, 0
    low, high = first // unit, (end - 1) // unit + 1
    if stream.skewed:
        low = max(0, -(-(first - fold.pixels + 1) // unit))
    for order in range(low, min(high, fold.groups)):
        pixel, pixels = 0, fold.pixels
        group = fold.groups - 1 - order
        if stream.skewed:
            group = order
            pixel, pixels = max(0, first - group * unit), min(fold.pixels, end - group * unit)
        base = order * unit
        while pixel < pixels and base + pixel * stream.skewed <= cut:
            passed = _passed(touches, base + pixel * stream.skewed, pixel, group, cut, place)
            cell = _cell(touches, fold, pixel, group)
            if cell >= 0:
                held = max(cells[cell] - floor, 0)
                added += max(unit - passed - held, 0)
                cells[cell] = floor + max(unit - passed, held)
            pixel += 1
        added += _whole(touches, fold, pixel, pixels, group, cells, floor)
    return added


@numba.njit(cache=True, inline="always")
def _whole(
    touches: Touches, fold: Fold, pixel: int, pixels: int, group: int, cells: Numbers, floor: int
) -> int:
    """Return how many words whole touches of a group with pixels of a range add, row by row."""
    group += fold.first_group
    none, full = np.int32(floor), np.int32(floor + touches.unit)
    added = 0
    # windows that meet the image with this tap
    rows = (touches.height - 1 - touches.row[group]) // touches.stride + 1
    columns = (touches.width - 1 - touches.column[group]) // touches.stride_width + 1
    window = fold.first_pixel + pixel
    row, column = window // touches.out_width, window % touches.out_width
    at = touches.cell[group] + row * touches.stride * touches.pitch
    while pixel < pixels and row < rows:
        count = min(pixels - pixel, touches.out_width - column)
        part = cells[at + column : at + min(column + count, max(column, columns))]
        for index in range(len(part)):
            held = part[index]
            added += int(full - (held if held > none else none))
            part[index] = full
        pixel += count
        row, column = row + 1, 0
        at += touches.stride * touches.pitch
    return added


@numba.njit(cache=True)
def _sweep(
    stream: Stream,
    touches: Touches,
    fold: Fold,
    first: int,
    cut: int,
    place: int,
    capacity: int,
    cells: Numbers,
    state: Numbers,
    changes: Numbers,
    runs: Numbers,
) -> tuple[int, int]:
    """Follow lines until the buffer is full; return that line and place, or -1 at the fold's end.

    `changes` counts the misses that begin and end with a line; at any line an edge's place has one
    touch under way, whose misses are in `runs`.
    """
    unit = touches.unit
    runs[:] = 0
    held, active = state[HELD], 0
    # groups with touches that begin on a line: from low to before high
    low = 0 if stream.skewed else first // unit
    high = low
    for line in range(first, fold.bases + unit):
        if stream.skewed:
            while low < fold.groups and low * unit + fold.pixels <= line:
                low += 1
            while high < fold.groups and high * unit <= line:
                high += 1
            for index in range(low, high):
                # at equal lines the lower place is first
                group = low + high - 1 - index if touches.along == ALONG_ROWS else index
                pixel = line - group * unit
                _touch(touches, fold, line, pixel, group, cut, place, cells, state, changes, runs)
        elif low < fold.groups and low * unit == line:
            for pixel in range(fold.pixels):
                group = fold.groups - 1 - low
                _touch(touches, fold, line, pixel, group, cut, place, cells, state, changes, runs)
            low += 1
        active += changes[line]
        changes[line] = 0
        held += active
        if held >= capacity:
            changes[line : line + unit + 1] = 0
            return line, _place(touches, runs, line, capacity - held + active)
    return -1, -1


@numba.njit(cache=True, inline="always")
def _touch(
    touches: Touches,
    fold: Fold,
    base: int,
    pixel: int,
    group: int,
    cut: int,
    place: int,
    cells: Numbers,
    state: Numbers,
    changes: Numbers,
    runs: Numbers,
) -> None:
    """Note the misses of a touch."""
    unit = touches.unit
    slot = group * unit + pixel % unit if touches.along == IN_TIME else pixel
    runs[slot, 2] = 0
    cell = _cell(touches, fold, pixel, group)
    if cell < 0:
        return
    begin = _passed(touches, base, pixel, group, cut, place)
    end = unit - max(cells[cell] - state[FLOOR], 0)
    if begin < end:
        cells[cell] = state[FLOOR] + unit - begin
        state[HELD] += end - begin
        changes[base + begin] += 1
        changes[base + end] -= 1
        runs[slot, 0], runs[slot, 1], runs[slot, 2] = base, base + begin, base + end


@numba.njit(cache=True)
def _place(touches: Touches, runs: Numbers, line: int, wanted: int) -> int:
    """Return the place of the miss of that number, from 1, on a line."""
    missed = np.zeros(len(runs), np.bool_)
    for slot in range(len(runs)):
        if runs[slot, 1] <= line < runs[slot, 2]:
            at = slot
            if touches.along == IN_TIME:
                at = slot // touches.unit * touches.unit + line - runs[slot, 0]
            missed[at] = True
    for at in range(len(missed)):
        wanted -= missed[at]
        if wanted == 0:
            return at
    return -1
