# SPDX-License-Identifier: Apache-2.0
"""The words of an operand: which address lies where in the matrices that are multiplied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intaglio.scalesim.dataflow import FILTER, IFMAP, TAPS, Placement
from intaglio.scalesim.topology import Layer

Numbers = np.ndarray


class Operand(NamedTuple):
    """Addresses of a matrix: `major` (a window, or a filter) plus `minor` (a tap, or a filter).

    An element of the image may lie outside of it, where a stride does not divide: it is then at
    row `major_row + minor_row` or column `major_column + minor_column` beyond `height` or `width`,
    and nothing is read. `upright` tells whether the minor index goes along a stream's height.
    """

    major: Numbers
    minor: Numbers
    major_row: Numbers
    minor_row: Numbers
    major_column: Numbers
    minor_column: Numbers
    height: int
    width: int
    upright: int
    size: int


def operand(layer: Layer, placement: Placement, which: frozenset[str], *, sparse: bool) -> Operand:
    """Return the words of an operand, counted from the first address of its tensor."""
    taps = kept(layer) if sparse else np.arange(layer.taps)
    stream = placement.streams[which]
    if which == IFMAP:
        return _windows(layer, taps, int(_upright(placement, TAPS, stream.stays)))
    if which == FILTER:
        major, minor = np.arange(layer.filters) * layer.taps, taps
        upright = _upright(placement, TAPS, stream.stays)
    else:
        major, minor = np.arange(layer.pixels) * layer.filters, np.arange(layer.filters)
        upright = _upright(placement, "filters", stream.stays)
    rows, columns = np.zeros_like(major), np.zeros_like(minor)
    size = layer.filters * (layer.taps if which == FILTER else layer.pixels)
    return Operand(major, minor, rows, columns, rows, columns, 1, 1, int(upright), size)


def kept(layer: Layer) -> Numbers:
    """Return the taps that a sparse filter keeps: the first of every block."""
    taps = np.arange(layer.taps)
    return taps[taps % layer.block < layer.kept]


def _upright(placement: Placement, minor: str, stays: int) -> bool:
    """Tell whether an axis goes along the height of a stream's grid."""
    return minor == (placement.dataflow.rows if stays else placement.dataflow.time)


def _windows(layer: Layer, taps: Numbers, upright: int) -> Operand:
    row, column = np.divmod(np.arange(layer.pixels), layer.out_width)
    row, column = row * layer.stride, column * layer.stride_width
    tap_row, rest = np.divmod(taps, layer.filter_width * layer.channels)
    tap_column, channel = np.divmod(rest, layer.channels)
    pitch = layer.width * layer.channels
    return Operand(
        row * pitch + column * layer.channels,
        tap_row * pitch + tap_column * layer.channels + channel,
        *(row, tap_row, column, tap_column, layer.height, layer.width, upright),
        layer.height * pitch,
    )
