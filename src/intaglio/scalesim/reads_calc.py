# SPDX-License-Identifier: Apache-2.0
"""DRAM reads where bandwidth is estimated (CALC): a buffer that forgets everything when it is full.

A read buffer is a set of words. A word that is not in it is read from DRAM; when half of the buffer
is used, the set is emptied: a flush. So the reads are the sum of what is distinct between flushes,
and what is to be found is the flushes (`flushes`), without looking at every word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from intaglio.errors import ModelError
from intaglio.scalesim.dataflow import FILTER, PIXELS, TAPS, Placement
from intaglio.scalesim.flushes import Touches, disjoint, partial, scan, touches
from intaglio.scalesim.operand import kept
from intaglio.scalesim.topology import Layer

#: A buffer is managed in hundredths; half of them are ever used.
SHARES, USED_SHARES = 100, 50


@dataclass(frozen=True)
class Reads:
    """DRAM accesses of an operand: how many words, and the cycles of the first and the last."""

    words: int
    start: int
    stop: int

    @property
    def words_a_cycle(self) -> float:
        """Bandwidth from the first access to the last."""
        return self.words / (self.stop - self.start + 1)


def reads_calc(
    layer: Layer,
    placement: Placement,
    which: frozenset[str],
    buffer: int,
    bandwidth: int,
    *,
    sparse: bool,
) -> Reads:
    """Return the DRAM reads of an operand through a buffer of so many words.

    Raises:
        ModelError: two flushes fall on one line, where the tool divides by zero.
    """
    stream = placement.streams[which]
    share = buffer // SHARES
    capacity = USED_SHARES * share
    if which == FILTER or _disjoint(layer):
        found = disjoint(stream, capacity)
    elif not sparse and _distinct(layer) < capacity:
        found = (_distinct(layer), 0, -1, 0)
    else:
        found = scan(stream, _touches(layer, placement, sparse=sparse), capacity)
    misses, flushes, last, clash = found
    if clash:
        raise ModelError(
            f"layer {layer.name!r}: a line must fill a read buffer once at most, or SCALE-Sim "
            f"divides by zero: {stream.width} words pass in a line, and {capacity} fill the buffer"
        )
    if flushes:
        return Reads(misses, stream.first_line - math.ceil(capacity / bandwidth), last + 1)
    filled = math.ceil(misses / share) * share
    return Reads(misses, -math.ceil(filled / bandwidth), -1)


def _disjoint(layer: Layer) -> bool:
    """Tell whether no word of the image lies in two windows, and no tap outside of it."""
    rows = layer.out_height == 1 or layer.stride >= layer.filter_height
    columns = layer.out_width == 1 or layer.stride_width >= layer.filter_width
    return rows and columns and not partial(layer)


def _distinct(layer: Layer) -> int:
    """Return how many words of the image lie in windows."""
    rows = _covered(layer.out_height, layer.stride, layer.filter_height, layer.height)
    columns = _covered(layer.out_width, layer.stride_width, layer.filter_width, layer.width)
    return rows * columns * layer.channels


def _covered(windows: int, stride: int, size: int, limit: int) -> int:
    if stride <= size:
        return min((windows - 1) * stride + size, limit)
    full = min(windows, (limit - size) // stride + 1)
    rest = (min(size, max(limit - at * stride, 0)) for at in range(full, windows))
    return full * size + sum(rest)


def _touches(layer: Layer, placement: Placement, *, sparse: bool) -> Touches:
    """Return an image as cells, as coarse as windows and folds meet it."""
    if not sparse and layer.filter_width == layer.width:  # the rows of a window lie in one piece
        channels = layer.channels * layer.width
        layer = replace(layer, width=1, filter_width=1, channels=channels, stride_width=1)
    unit = layer.channels
    if placement.dataflow.rows == TAPS and placement.row_folds > 1:
        unit = math.gcd(unit, placement.rows)
    taps = kept(layer) if sparse else np.arange(0, layer.taps, unit)
    unit = 1 if sparse else unit
    axes = (placement.dataflow.time, placement.dataflow.rows, placement.dataflow.columns)
    return touches(layer=layer, taps=taps, unit=unit, along=axes.index(PIXELS))
