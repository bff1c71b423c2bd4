# SPDX-License-Identifier: Apache-2.0
"""How a layer is cut in the plane: bands that the memories hold, tiles that the sums hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.blocks import Block
from intaglio.arch.systolic.layers import Layer, Term
from intaglio.arch.systolic.tensors import Tensor
from intaglio.errors import ModelError


@dataclass(frozen=True)
class Plan:
    """Bands of output rows, and ranges of output columns; each pair of them is a tile.

    `whole_in` and `whole_out` say that a band takes all of an activation memory, not half of it.
    `region` is the rows of sums that a term of a tile takes, `sum_step` those of `columns` pixels
    where sums lie input stationary.
    """

    bands: tuple[range, ...]
    columns: tuple[range, ...]
    whole_in: bool
    whole_out: bool
    region: int
    sum_step: int


def plan(
    layer: Layer,
    cut: Sequence[Block],
    tensors: Mapping[str, Tensor],
    out: Tensor,
    array: Array,
    flow: Dataflow,
) -> Plan:
    """Choose the largest bands that fit.

    Raises:
        ModelError: not even one row fits; the text says which memory is too small.
    """
    p, q, _ = layer.shape
    pixels, step = _tile_pixels(layer, cut, array, flow)
    width = min(q, pixels)
    most = max(1, pixels // q)
    read = {
        (piece.term, piece.value): tensors[piece.value] for block in cut for piece in block.pieces
    }

    def taken(rows: int) -> tuple[int, int]:
        """Return the elements of both memories that a band of so many rows takes."""
        into = 0
        for (term, _), place in read.items():
            seen = min(_seen(layer.terms[term], rows), place.shape[0])
            into += place.rows_at(range(seen))[1] * place.beat_elements
        return into, out.rows_at(range(rows))[1] * out.beat_elements * out.planes

    half = array.act_elements // 2
    rows = min(p, most)
    if out.packed and rows < p:
        raise ModelError(
            f"sum_rows must be at least {array.sum_rows * -(-p // rows)} for what is read in "
            f"another shape, not {array.sum_rows}"
        )
    while rows > 1 and max(taken(rows)) > half and not out.packed:
        rows -= 1
    into, made = taken(rows)
    if max(into, made) > 2 * half:
        need = -(-max(into, made) // array.lanes)
        raise ModelError(f"act_rows must be at least {need} for a row of it, not {array.act_rows}")
    bands = tuple(range(first, min(p, first + rows)) for first in range(0, p, rows))
    columns = tuple(range(first, min(q, first + width)) for first in range(0, q, width))
    count = len(bands[0]) * len(columns[0])
    region = count if not step else -(-count // array.columns) * step
    return Plan(bands, columns, into > half, made > half, region, step)


def _tile_pixels(
    layer: Layer, cut: Sequence[Block], array: Array, flow: Dataflow
) -> tuple[int, int]:
    """Return the pixels whose sums half of the accumulators holds, and the rows of `columns`."""
    joins = len(layer.terms) > 1
    if flow is not Dataflow.INPUT_STATIONARY:
        return array.sum_rows // (2 if joins else 1), 0
    channels = max(block.channels for block in cut)
    step = -(-channels // array.columns) * array.columns
    tiles = array.sum_rows // step // (3 if joins else 1)
    if tiles == 0:
        need = step * (3 if joins else 1)
        raise ModelError(f"sum_rows must be at least {need}, not {array.sum_rows}")
    return tiles * array.columns, step


def _seen(term: Term, rows: int) -> int:
    """Return the input rows that so many output rows see."""
    return (rows - 1) * term.stride[0] + (term.weight.shape[1] - 1) * term.dilation[0] + 1


def rows_of(term: Term, band: range) -> range:
    """Return the rows of a term's value that a band of output rows sees, at least one."""
    height = term.shape[0]
    low = band.start * term.stride[0] + term.origin[0]
    high = low + _seen(term, len(band))
    low = min(max(low, 0), height - 1)
    return range(low, min(max(high, low + 1), height))
