# SPDX-License-Identifier: Apache-2.0
"""A layer cut to the size of an array: blocks of outputs, and pieces of sums with their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.layers import Layer, Network, Term
from intaglio.errors import ModelError


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the taps of a term, all of one stored value: what one fold sums up.

    A run is a number of neighboring elements that are multiplied from `element` of a pixel on; it
    has `u_count` words, for each of `s_count` kernel columns and `r_count` kernel rows from `r` on.

    Shapes: words [steps, words of a step, lanes], or a single step where all are equal.
    """

    term: int
    value: str
    element: int
    r: int
    r_count: int
    s_count: int
    u_count: int
    run: int
    words: np.ndarray

    @property
    def weights(self) -> int:
        """Words of a step."""
        return int(self.words.shape[1])

    @property
    def steps(self) -> int:
        """Steps of a tile."""
        return self.r_count * self.s_count * self.u_count

    @property
    def shared(self) -> bool:
        """Whether all steps have the same words."""
        return len(self.words) < self.steps

    @property
    def size(self) -> int:
        """Words it keeps in the memory of weights."""
        return int(self.words.shape[0] * self.words.shape[1])


@dataclass(frozen=True)
class Block:
    """Outputs `first` to `first + channels`, and the pieces that make them."""

    first: int
    channels: int
    pieces: tuple[Piece, ...]


def blocks(net: Network, layer: Layer, array: Array, flow: Dataflow) -> tuple[Block, ...]:
    """Return a layer's blocks on an array.

    Raises:
        ModelError: the layer cannot be cut so.
    """
    return tuple(
        Block(
            first,
            count,
            tuple(
                piece
                for index in range(len(layer.terms))
                for piece in _pieces(net, layer, index, first, count, array, flow)
            ),
        )
        for first, count in _ranges(net, layer, array, flow)
    )


def _ranges(net: Network, layer: Layer, array: Array, flow: Dataflow) -> Iterator[tuple[int, int]]:
    """Yield the outputs of each block: some of a group, or some whole groups."""
    term = layer.terms[0]
    inputs, outputs = term.weight.shape[3], len(term.weight) // term.groups
    together = _together(term, array)
    if together > 1:
        edges = {0, term.groups}
        for other in layer.terms:
            edges |= _edges(net, other, inputs)
        marks = sorted(edges)
        for low, high in pairwise(marks):
            for first in range(low, high, together):
                yield first * outputs, min(together, high - first) * outputs
        return
    size = array.columns
    if flow is Dataflow.INPUT_STATIONARY:
        size = max(1, min(-(-outputs // size), array.sum_rows // size)) * size
    for group in range(term.groups):
        for first in range(0, outputs, size):
            yield group * outputs + first, min(size, outputs - first)


def _together(term: Term, array: Array) -> int:
    """Return how many groups fit on the array side by side, at least 1."""
    inputs, outputs = term.weight.shape[3], len(term.weight) // term.groups
    if term.groups == 1:
        return 1
    return max(1, min(array.rows // inputs, array.columns // outputs))


def _edges(net: Network, term: Term, inputs: int) -> set[int]:
    """Return the groups at which another stored value begins."""
    ends = np.cumsum([part.channels for part in net.read_by(term)])
    if np.any(ends % inputs):
        raise ModelError(f"groups of {term.value!r} must not reach over what is joined there")
    return {int(end) // inputs for end in ends}


def _pieces(
    net: Network,
    layer: Layer,
    index: int,
    first: int,
    count: int,
    array: Array,
    flow: Dataflow,
) -> Iterator[Piece]:
    """Yield the pieces of a block that belong to one term."""
    term = layer.terms[index]
    outputs, inputs = len(term.weight) // term.groups, term.weight.shape[3]
    low = first // outputs * inputs  # first channel that the block sees
    high = ((first + count - 1) // outputs + 1) * inputs
    start = 0
    for part in net.read_by(term):
        end = start + part.channels
        if low < end and start < high:
            if term.groups > 1 and not (start <= low and high <= end):
                raise ModelError(f"groups of {term.value!r} must not reach over what is joined")
            seen = max(low, start), min(high, end)
            taps = _taps(term, first, count, seen)
            whole = seen == (start, end) and term.groups == 1 and term.dilation[1] == 1
            if whole and not layer.maximum:  # kernel columns lie one behind the other: a long run
                taps = taps.reshape(taps.shape[0], 1, -1, count)
            for r, r_count, u, words in _cut(taps, array, flow):
                run = min(taps.shape[2] - u * array.rows, words.shape[2] * array.rows)
                yield Piece(
                    index,
                    part.value,
                    seen[0] - start + u * array.rows,
                    r,
                    r_count,
                    taps.shape[1],
                    words.shape[2],
                    run,
                    _kept(words.reshape(-1, *words.shape[3:])),
                )
        start = end


def _taps(term: Term, first: int, count: int, seen: tuple[int, int]) -> np.ndarray:
    """Return the weights from channels `seen` to the block's outputs, [R, S, C, K]."""
    outputs, inputs = len(term.weight) // term.groups, term.weight.shape[3]
    channels = np.arange(*seen)
    k = np.arange(first, first + count)
    weight = term.weight[k][:, :, :, channels % inputs].transpose(1, 2, 3, 0)
    same = (channels // inputs)[:, None] == (k // outputs)[None]
    return np.where(same, weight, 0)


def _cut(
    taps: np.ndarray, array: Array, flow: Dataflow
) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """Yield kernel rows (first, count), first word of the runs, words [R, S, U, words, lanes].

    Each fits half of the memory of weights.
    """
    r_total, s_total, run, count = taps.shape
    rows = array.rows
    u_total = -(-run // rows)
    padded = np.full((r_total, s_total, u_total * rows, count), taps.flat[0])
    padded[:, :, :run] = taps
    split = padded.reshape(r_total, s_total, u_total, rows, count)
    if flow is Dataflow.INPUT_STATIONARY:
        split = split.transpose(0, 1, 2, 4, 3)
    else:
        split = split[:, :, :, : min(rows, run)]
    room = array.weight_words // 2
    row = s_total * u_total * split.shape[3]
    if row <= room:
        many = room // row
        for r in range(0, r_total, many):
            part = split[r : r + many]
            yield r, len(part), 0, part
        return
    many = room // (s_total * split.shape[3])
    if many == 0:
        raise ModelError(
            f"weight_words must be at least {2 * s_total * split.shape[3]}, not {2 * room}"
        )
    for r in range(r_total):
        for u in range(0, u_total, many):
            yield r, 1, u, split[r : r + 1, :, u : u + many]


def _kept(words: np.ndarray) -> np.ndarray:
    """Return all steps' words, or the first's where all are equal."""
    return words[:1] if bool((words == words[:1]).all()) else words
