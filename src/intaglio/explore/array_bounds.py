# SPDX-License-Identifier: Apache-2.0
"""What a layer takes on an array at least, in closed form, for any number of shapes at once.

An array's four units work at once, each through its own list, so a network takes at least what any
one of them takes alone. That is counted here from sizes only, whatever the buffers are: cycles in
which folds use the array, beats that come and go, sums that are drained. A network may be given by
its layers' sizes (`convolution`, `dense`) or by a program (`sizes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.arch.systolic.array import SUM_TURNAROUND, Array, Dataflow
from intaglio.arch.systolic.layers import Layer, Network, Term
from intaglio.arch.systolic.predict import (
    BETWEEN,
    DRAIN_DONE,
    LOAD_DONE,
    STORE_LATENCY,
    Memory,
)

Numbers = np.ndarray

#: Cycles from one load's or store's end to the beginning of the next, beside those of its memory.
AROUND_LOAD, AROUND_STORE = LOAD_DONE + BETWEEN + 1, STORE_LATENCY + BETWEEN + 1


@dataclass(frozen=True)
class TermSize:
    """Sizes of a term: groups, channels of a group, the kernel, and what it reads.

    `parts` are the channels of the stored values that it reads side by side; `rows` the input rows
    that any output row sees, `row` the elements of one. `dilated` says that kernel columns are not
    neighbors; `repeats` that steps may have equal words, which are then kept only once.
    """

    groups: int
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    parts: tuple[int, ...]
    rows: int
    row: int
    dilated: bool = False
    repeats: bool = False


@dataclass(frozen=True)
class LayerSize:
    """Sizes of a layer: its output (P, Q, K), its terms, and the activations an output takes."""

    name: str
    shape: tuple[int, int, int]
    terms: tuple[TermSize, ...]
    planes: int = 1
    maximum: bool = False

    @property
    def pixels(self) -> int:
        """Output pixels."""
        return self.shape[0] * self.shape[1]

    @property
    def macs(self) -> int:
        """Products of a frame."""
        one = sum(t.groups * t.inputs * t.outputs * t.kernel[0] * t.kernel[1] for t in self.terms)
        return self.pixels * one


def convolution(
    name: str,
    image: tuple[int, int],
    kernel: tuple[int, int],
    channels: tuple[int, int],
    stride: int = 1,
    groups: int = 1,
) -> LayerSize:
    """Return a convolution's sizes; the image is given with its border, channels in and out."""
    p, q = ((size - taps) // stride + 1 for size, taps in zip(image, kernel, strict=True))
    into, out = channels
    seen = p * min(stride, kernel[0]) + max(0, kernel[0] - stride)
    term = TermSize(groups, into // groups, out // groups, kernel, (into,), seen, image[1] * into)
    return LayerSize(name, (p, q, out), (term,))


def dense(name: str, frames: int, into: int, out: int) -> LayerSize:
    """Return the sizes of a product of a matrix [frames, into] with one [into, out]."""
    return convolution(name, (frames, 1), (1, 1), (into, out))


def sizes(net: Network, act_bits: int) -> tuple[LayerSize, ...]:
    """Return the sizes of a program's layers."""
    return tuple(
        LayerSize(
            layer.name,
            layer.shape,
            tuple(_term_size(net, layer, term) for term in layer.terms),
            -(-layer.element.width // act_bits),
            layer.maximum,
        )
        for layer in net.layers
    )


def _term_size(net: Network, layer: Layer, term: Term) -> TermSize:
    outputs, r, s, inputs = term.weight.shape
    height, width, channels = term.shape
    taps = np.arange(r)[:, None] * term.dilation[0] + term.origin[0]
    seen = np.unique(taps + np.arange(layer.shape[0]) * term.stride[0])
    return TermSize(
        term.groups,
        inputs,
        outputs // term.groups,
        (r, s),
        tuple(part.channels for part in net.parts[term.value]),
        max(1, int(((seen >= 0) & (seen < height)).sum())),
        width * channels,
        term.dilation[1] != 1,
        repeats=True,
    )


@dataclass(frozen=True)
class Folds:
    """Folds of a term: steps of a tile, blocks, and words of weights that a step holds or streams.

    Shapes: those of rows and columns that were asked for. `words` is the sum over blocks.
    """

    steps: Numbers
    blocks: Numbers
    words: Numbers


def folds(term: TermSize, rows: Numbers, columns: Numbers, flow: Dataflow) -> list[Folds]:
    """Return the folds of each part that a term reads, as few as there can be."""
    r, s = term.kernel
    together = np.minimum(rows // term.inputs, columns // term.outputs)
    together = np.maximum(1, together if term.groups > 1 else 1)
    single = term.groups > 1 and term.inputs == 1
    aside = (together > 1) | (single & (term.outputs <= columns))
    input_stationary = flow is Dataflow.INPUT_STATIONARY
    found = []
    for channels in term.parts if term.groups == 1 else (term.inputs,):
        joined = term.groups == 1 and not term.dilated
        run = s * channels if joined else channels
        steps = r * (1 if joined else s) * -(-run // rows)
        cuts = 1 if input_stationary else -(-term.outputs // columns)
        blocks = np.where(aside, -(-term.groups // together), term.groups * cuts)
        if input_stationary:
            words = np.broadcast_to(term.groups * term.outputs, blocks.shape)
        else:
            words = np.where(aside, term.groups * term.inputs, blocks * np.minimum(rows, run))
        found.append(Folds(np.where(aside, r * s, steps), blocks, words))
    return found


def fold_cycles(layer: LayerSize, rows: Numbers, columns: Numbers, flow: Dataflow) -> Numbers:
    """Return the cycles in which a layer's folds use an array, at least.

    A step takes a cycle for each pixel of its tile, and one for each word that has to be held or
    streamed; tiles are only as large as what they hold back. Whatever tiles a layer is cut to, both
    sums hold.

    Shapes: rows and columns alike; int64 of that shape.
    """
    pixels = layer.pixels
    tiles = {
        Dataflow.WEIGHT_STATIONARY: np.ones_like(rows),
        Dataflow.INPUT_STATIONARY: -(-pixels // columns),
        Dataflow.OUTPUT_STATIONARY: -(-pixels // rows),
    }[flow]
    total = np.zeros_like(rows)
    for term in layer.terms:
        for fold in folds(term, rows, columns, flow):
            least = fold.blocks * SUM_TURNAROUND
            if flow is Dataflow.OUTPUT_STATIONARY:  # rows of sums leave one a cycle
                leave = rows if layer.maximum else -(-rows // fold.steps)
                least = np.maximum(least, fold.blocks * leave)
            held = tiles * np.maximum(fold.words, least)
            total = total + fold.steps * np.maximum(fold.blocks * pixels, held)
    return total


def drain_cycles(layer: LayerSize, rows: Numbers, columns: Numbers) -> Numbers:
    """Return the cycles in which a layer's sums are drained, at least."""
    term = layer.terms[0]
    together = np.minimum(rows // term.inputs, columns // term.outputs)
    aside = -(-term.groups // np.maximum(1, together))
    alone = term.groups * -(-term.outputs // columns)
    blocks = np.minimum(aside, alone) if term.groups > 1 else alone
    return blocks * layer.pixels * (layer.planes + (2 if len(layer.terms) > 1 else 0))


def weight_words(layer: LayerSize, rows: Numbers, columns: Numbers, flow: Dataflow) -> Numbers:
    """Return the words of weights that have to come in, each as wide as the memories' lanes."""
    total = np.zeros_like(rows)
    for term in layer.terms:
        for fold in folds(term, rows, columns, flow):
            total = total + fold.words * (1 if term.repeats else fold.steps)
    return total


def cycles(
    layers: Sequence[LayerSize],
    rows: Numbers,
    columns: Numbers,
    flow: Dataflow,
    like: Array,
    memory: Memory,
) -> Numbers:
    """Return the cycles of a network on arrays of one dataflow, at least.

    `like` gives the widths; its own rows and columns, and all its buffers, do not count.

    Shapes: rows and columns alike, int64; the result too.
    """
    folded = sum((fold_cycles(one, rows, columns, flow) for one in layers), np.zeros_like(rows))
    drained = sum((drain_cycles(one, rows, columns) for one in layers), np.zeros_like(rows))
    lanes = _lanes(rows, columns)
    weight_beat = like.beat_bits // like.weight_container
    # a load or store of one beat takes no gap, but what is around it
    around_load = memory.read_latency + AROUND_LOAD
    around_store = memory.write_latency + AROUND_STORE
    act_chunks, weight_chunks = -(-like.act_beat // lanes), -(-weight_beat // lanes)
    act_gap = np.minimum(np.maximum(memory.read_gap, act_chunks), around_load)
    weight_gap = np.minimum(np.maximum(memory.read_gap, weight_chunks), around_load)
    store_gap = np.minimum(np.maximum(memory.write_gap, act_chunks), around_store)
    loaded, stored = np.zeros_like(rows), np.zeros_like(rows)
    for one in layers:
        taken = sum(term.rows * -(-term.row // like.act_beat) for term in one.terms)
        words = weight_words(one, rows, columns, flow)
        loaded += taken * act_gap + words * lanes // weight_beat * weight_gap
        given = one.shape[0] * -(-one.shape[1] * one.shape[2] // like.act_beat) * one.planes
        stored += given * store_gap
    around = memory.read_latency + memory.write_latency + DRAIN_DONE + rows + columns
    return np.maximum(np.maximum(folded, drained), np.maximum(loaded, stored)) + around


def _lanes(rows: Numbers, columns: Numbers) -> Numbers:
    """Return `Array.lanes` of each shape."""
    longer = np.maximum(np.maximum(rows, columns), 2)
    return 1 << np.ceil(np.log2(longer)).astype(np.int64)


def shapes(multipliers: int, longest: int = 256) -> tuple[Numbers, Numbers]:
    """Return the rows and columns of every array of at most so many cells."""
    rows, columns = np.meshgrid(np.arange(1, longest + 1), np.arange(1, longest + 1), indexing="ij")
    small = rows * columns <= multipliers
    return rows[small], columns[small]
