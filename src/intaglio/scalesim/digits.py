# SPDX-License-Identifier: Apache-2.0
"""Lines of traces as text: whole numbers and, where the tool has them, floats; compiled."""

from __future__ import annotations

import numba

from intaglio.scalesim.dataflow import Stream
from intaglio.scalesim.lines import grid_of, start_of
from intaglio.scalesim.operand import Numbers, Operand
from intaglio.scalesim.words import NONE, address
from intaglio.scalesim.writes import LOG_CLOSED, LOG_CYCLE, LOG_DRAINED, LOG_EMPTY, Buffer

#: Bytes that a number may take, with its comma and, as a float, with ".0".
LONGEST = 24
COMMA, NEWLINE, MINUS, POINT, ZERO = b",\n-.0"
#: Where a walk over the output's words is: fold, line of its grid, place; and the next DRAM line,
#: the burst that drains it, and the first one that may have closed it.
FOLD, LINE, PLACE, DRAM_LINE, BURST, HEAD = range(6)


@numba.njit(cache=True)
def put(text: Numbers, at: int, number: int) -> int:
    """Write a number; return where it ends."""
    if number < 0:
        text[at] = MINUS
        at += 1
        number = -number
    length, rest = 1, number
    while rest >= 10:
        rest //= 10
        length += 1
    rest = number
    for place in range(at + length - 1, at - 1, -1):
        text[place] = ZERO + rest % 10
        rest //= 10
    return at + length


@numba.njit(cache=True)
def put_float(text: Numbers, at: int, number: int) -> int:
    """Write a whole number as a float; return where it ends."""
    at = put(text, at, number)
    text[at], text[at + 1] = POINT, ZERO
    return at + 2


@numba.njit(cache=True)
def sram_lines(
    text: Numbers, stream: Stream, operand: Operand, offset: int, first: int, cycles: Numbers
) -> int:
    """Write the lines from `first` on, each with its cycle; return where they end."""
    at = 0
    for index in range(len(cycles)):
        fold, line = (first + index) // stream.lines, (first + index) % stream.lines
        column_fold, row_fold = fold // stream.row_folds, fold % stream.row_folds
        height, width = grid_of(stream, row_fold, column_fold)
        line -= start_of(stream, row_fold)
        if line < 0 or line >= height + (width - 1) * stream.skewed:
            width = 0
        at = put(text, at, cycles[index])
        for place in range(stream.width):
            word = NONE
            if place < width:
                word = address(stream, operand, row_fold, column_fold, line, place)
            text[at] = COMMA
            if word == NONE:
                text[at + 1], text[at + 2] = MINUS, ZERO + 1
                at += 3
            else:
                at = put(text, at + 1, word + offset)
        text[at] = NEWLINE
        at += 1
    return at


@numba.njit(cache=True)
def dram_lines(
    text: Numbers,
    stream: Stream,
    operand: Operand,
    offset: int,
    buffer: Buffer,
    log: Numbers,
    walk: Numbers,
    count: int,
) -> int:
    """Write the next `count` DRAM lines of the output; return where they end."""
    at = 0
    for _ in range(count):
        line = walk[DRAM_LINE]
        while log[walk[BURST], LOG_DRAINED] <= line:
            walk[BURST] += 1
        while log[walk[HEAD], LOG_CLOSED] <= line:
            walk[HEAD] += 1
        begin = log[walk[BURST] - 1, LOG_DRAINED] if walk[BURST] else 0
        words = buffer.bandwidth
        if log[walk[HEAD], LOG_CLOSED] == line + 1:
            words -= log[walk[HEAD], LOG_EMPTY]
        at = put_float(text, at, log[walk[BURST], LOG_CYCLE] + line - begin)
        for place in range(buffer.bandwidth):
            word = -1
            if place < words:
                word = _next_word(stream, operand, walk) + offset
            text[at] = COMMA
            at = put_float(text, at + 1, word)
        text[at] = NEWLINE
        at += 1
        walk[DRAM_LINE] += 1
    return at


@numba.njit(cache=True)
def _next_word(stream: Stream, operand: Operand, walk: Numbers) -> int:
    """Return the next word of the output, and go past it."""
    while True:
        column_fold, row_fold = walk[FOLD] // stream.row_folds, walk[FOLD] % stream.row_folds
        height, width = grid_of(stream, row_fold, column_fold)
        line, place = walk[LINE], walk[PLACE]
        walk[PLACE] += 1
        if walk[PLACE] >= min(width, line + 1):
            walk[LINE] += 1
            walk[PLACE] = max(0, walk[LINE] - height + 1)
            if walk[LINE] >= height + width - 1:
                walk[FOLD], walk[LINE], walk[PLACE] = walk[FOLD] + 1, 0, 0
        word = address(stream, operand, row_fold, column_fold, line, place)
        if word != NONE:
            return word
