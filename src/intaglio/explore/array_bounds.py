# SPDX-License-Identifier: Apache-2.0
"""What a layer takes on an array at least, in closed form, for any number of shapes at once.

An array's four units work at once, each through its own list, so a network takes at least what any
one of them takes alone: cycles in which folds use the array, beats that come and go, sums that are
drained. What a layer reads has to be stored before, and loads come in the order of layers. That is
counted here from sizes only, whatever the buffers are. A network may be given by its layers' sizes
(`convolution`, `dense`) or by a program (`sizes`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from intaglio.arch.systolic.array import SUM_TURNAROUND, Array, Dataflow
from intaglio.arch.systolic.layers import Layer, Network, Term
from intaglio.arch.systolic.plan import rows_of
from intaglio.arch.systolic.predict import (
    BETWEEN,
    DRAIN_DONE,
    LOAD_DONE,
    STORE_LATENCY,
    Memory,
)

Numbers = np.ndarray

#: The most rows or columns that an array has.
LONGEST = 256
#: Cycles from one load's or store's end to the beginning of the next, beside those of its memory.
AROUND_LOAD, AROUND_STORE = LOAD_DONE + BETWEEN + 1, STORE_LATENCY + BETWEEN + 1


@dataclass(frozen=True)
class TermSize:
    """Sizes of a term: groups, channels of a group, the kernel, and what it reads.

    `parts` are the channels of the stored values that it reads side by side; `rows` the input rows
    that any output row sees, `row` the elements of one. `dilated` says that kernel columns are not
    neighbors. Steps of equal words keep them only once: `kept` are, for each number of array rows
    from 1 on, the last for all beyond, the steps that have words of their own at least; () is all.
    """

    groups: int
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    parts: tuple[int, ...]
    rows: int
    row: int
    dilated: bool = False
    kept: tuple[int, ...] = ()


@dataclass(frozen=True)
class LayerSize:
    """Sizes of a layer: its output (P, Q, K), its terms, and the activations an output takes.

    `after` are the numbers of the layers before it whose last row its last row needs.
    """

    name: str
    shape: tuple[int, int, int]
    terms: tuple[TermSize, ...]
    planes: int = 1
    maximum: bool = False
    after: frozenset[int] = frozenset()

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
            frozenset(_after(net, layer)),
        )
        for layer in net.layers
    )


def _after(net: Network, layer: Layer) -> Iterator[int]:
    """Yield the numbers of the layers whose last row a layer's last row needs."""
    numbers = {one.name: number for number, one in enumerate(net.layers)}
    last = layer.shape[0] - 1
    for term in layer.terms:
        seen = rows_of(term, range(last, last + 1))
        for part in net.read_by(term):
            whole = part.value in net.packed or seen.stop == term.shape[0]
            if whole and part.value in numbers:
                yield numbers[part.value]


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
        tuple(part.channels for part in net.read_by(term)),
        max(1, int(((seen >= 0) & (seen < height)).sum())),
        width * channels,
        term.dilation[1] != 1,
        (1,) if layer.maximum or len(net.read_by(term)) > 1 else _kept(term),
    )


def _kept(term: Term) -> tuple[int, ...]:
    """Return `TermSize.kept`: of neighboring steps that are equal in an output, one counts."""
    outputs, r, s, inputs = term.weight.shape
    if term.groups > 1 or term.dilation[1] != 1:
        return (1,)
    run = s * inputs
    taps = term.weight.astype(np.int16).reshape(outputs, r, run)
    found = []
    for rows in range(1, min(run, LONGEST) + 1):
        steps = -(-run // rows)
        padded = np.zeros((outputs, r, steps * rows), np.int16)
        padded[:, :, :run] = taps
        split = padded.reshape(outputs, r * steps, rows)
        equal = split[:, 1:] == split[:, :-1]
        if run % rows:  # where the run ends, nothing stands against being equal
            beyond = np.zeros((r, steps, rows), bool)
            beyond[:, -1, run % rows :] = True
            beyond = beyond.reshape(r * steps, rows)
            equal |= beyond[1:] | beyond[:-1]
        found.append(r * steps - int(equal.all(axis=2).sum(axis=1).max()))
    return tuple(found)


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


def fold_cycles(
    layer: LayerSize, rows: Numbers, columns: Numbers, flow: Dataflow, pixels: int | None = None
) -> Numbers:
    """Return the cycles in which a layer's folds use an array, at least; of some pixels, or all.

    A step takes a cycle for each pixel of its tile, and one for each word that has to be held or
    streamed; tiles are only as large as what they hold back. Whatever tiles a layer is cut to, both
    sums hold.

    Shapes: rows and columns alike; int64 of that shape.
    """
    pixels = pixels or layer.pixels
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
            steps = fold.steps
            if term.kept:
                steps = np.array(term.kept)[np.minimum(rows, len(term.kept)) - 1]
            total = total + fold.words * steps
    return total


@dataclass(frozen=True, eq=False)
class Least:
    """What each layer of a network takes of the units at least, each in the best of some dataflows.

    Followed are the ends of what each unit does for a layer. All loads of a layer come before those
    of the next; its last ones wait for the last row of what it reads, and folds of its own last row
    for them.

    Shapes: each of `loads`, `folds`, `last` (folds of the last row), `drains` and `stores`
    [layers, shapes]; `around`, the cycles from a fold's end to that of its drain [shapes]; `beats`,
    those that pass the memory port in a frame [shapes].
    """

    after: tuple[frozenset[int], ...]
    loads: Numbers
    folds: Numbers
    last: Numbers
    drains: Numbers
    stores: Numbers
    around: Numbers
    beats: Numbers
    memory: Memory

    @classmethod
    def of(
        cls,
        layers: Sequence[LayerSize],
        rows: Numbers,
        columns: Numbers,
        flows: Collection[Dataflow],
        like: Array,
        memory: Memory,
    ) -> Least:
        """Return that of a network on arrays of some shapes; `like` gives the widths."""
        gaps = _Gaps(like, memory, _lanes(rows, columns))

        def least(take: Callable[[LayerSize, Dataflow], Numbers]) -> Numbers:
            return np.array(
                [reduce(np.minimum, (take(one, flow) for flow in flows)) for one in layers]
            )

        words = least(lambda one, flow: weight_words(one, rows, columns, flow))
        return cls(
            tuple(one.after for one in layers),
            np.array([gaps.loads(one, some) for one, some in zip(layers, words, strict=True)]),
            least(lambda one, flow: fold_cycles(one, rows, columns, flow)),
            least(lambda one, flow: fold_cycles(one, rows, columns, flow, one.shape[1])),
            np.array([drain_cycles(one, rows, columns) for one in layers]),
            np.array([gaps.stores(one) for one in layers]),
            rows + columns + DRAIN_DONE,
            sum(
                (gaps.beats(one, some) for one, some in zip(layers, words, strict=True)),
                np.zeros_like(rows),
            ),
            memory,
        )

    @property
    def cycles(self) -> Numbers:
        """Cycles of a frame, of each shape."""
        return self._end(-1)

    def rests(self, index: int) -> tuple[Numbers, Numbers]:
        """Return the cycles that follow after the last fold, and store, of each layer of a shape.

        Shapes: [layers].
        """
        folds, stores = self._rests
        return folds[:, index], stores[:, index]

    @cached_property
    def _rests(self) -> tuple[Numbers, Numbers]:
        beyond = np.cumsum(self.folds[::-1], axis=0)[::-1]
        tail = self.around + STORE_LATENCY + self.memory.write_latency
        folds = [*(beyond[1:] + tail), np.zeros_like(tail)]
        return np.array(folds), np.array([self._end(index) for index in range(len(self.after))])

    def _end(self, known: int) -> Numbers:
        """Return the end of the last layer if that of layer `known` is 0, or before the frame."""
        never = np.full_like(self.around, -(1 << 40))
        loaded = folded = drained = never
        stored = np.zeros_like(self.around)
        ends = [*[never] * known, stored]
        if known < 0:
            loaded, ends = stored, []
            folded = drained = stored = stored + self.memory.read_latency
        for index in range(known + 1, len(self.after)):
            there = loaded
            if self.after[index]:
                written = reduce(np.maximum, (ends[number] for number in self.after[index]))
                there = written + self.memory.read_latency + LOAD_DONE
            loaded = np.maximum(loaded + self.loads[index], there)
            folded = np.maximum(folded + self.folds[index], there + self.last[index])
            folded = np.maximum(folded, loaded)
            drained = np.maximum(drained + self.drains[index], folded + self.around)
            done = drained + STORE_LATENCY + self.memory.write_latency
            stored = np.maximum(stored + self.stores[index], done)
            ends.append(stored)
        return stored


def cycles(
    layers: Sequence[LayerSize],
    rows: Numbers,
    columns: Numbers,
    flows: Collection[Dataflow],
    like: Array,
    memory: Memory,
) -> Numbers:
    """Return the cycles of a network on arrays at least, each layer in the best of some dataflows.

    `like` gives the widths; its own rows and columns, and all its buffers, do not count.

    Shapes: rows and columns alike, int64; the result too.
    """
    return Least.of(layers, rows, columns, flows, like, memory).cycles


class _Gaps:
    """Cycles that a beat of each kind takes; one alone has no gap but what is around it."""

    def __init__(self, like: Array, memory: Memory, lanes: Numbers) -> None:
        self.like, self.lanes = like, lanes
        self.weight_beat = like.beat_bits // like.weight_container
        around_load = memory.read_latency + AROUND_LOAD
        around_store = memory.write_latency + AROUND_STORE
        act_chunks, weight_chunks = -(-like.act_beat // lanes), -(-self.weight_beat // lanes)
        self.act = np.minimum(np.maximum(memory.read_gap, act_chunks), around_load)
        self.weight = np.minimum(np.maximum(memory.read_gap, weight_chunks), around_load)
        self.store = np.minimum(np.maximum(memory.write_gap, act_chunks), around_store)

    def loads(self, layer: LayerSize, words: Numbers) -> Numbers:
        """Return the cycles that a layer's loads take, with so many words of weights."""
        return self._taken(layer) * self.act + self._weights(words) * self.weight

    def stores(self, layer: LayerSize) -> Numbers:
        """Return the cycles that a layer's stores take."""
        return self._given(layer) * self.store

    def beats(self, layer: LayerSize, words: Numbers) -> Numbers:
        """Return the beats of both."""
        return self._taken(layer) + self._weights(words) + self._given(layer)

    def _taken(self, layer: LayerSize) -> int:
        return sum(term.rows * -(-term.row // self.like.act_beat) for term in layer.terms)

    def _weights(self, words: Numbers) -> Numbers:
        return words * self.lanes // self.weight_beat

    def _given(self, layer: LayerSize) -> int:
        beats = -(-layer.shape[1] * layer.shape[2] // self.like.act_beat)
        return layer.shape[0] * beats * layer.planes


def _lanes(rows: Numbers, columns: Numbers) -> Numbers:
    """Return `Array.lanes` of each shape."""
    longer = np.maximum(np.maximum(rows, columns), 2)
    return 1 << np.ceil(np.log2(longer)).astype(np.int64)


def shapes(multipliers: int, longest: int = LONGEST) -> tuple[Numbers, Numbers]:
    """Return the rows and columns of every array of at most so many cells."""
    rows, columns = np.meshgrid(np.arange(1, longest + 1), np.arange(1, longest + 1), indexing="ij")
    small = rows * columns <= multipliers
    return rows[small], columns[small]
