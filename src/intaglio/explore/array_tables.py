# SPDX-License-Identifier: Apache-2.0
"""A program's layers as `array_following` takes them, each made once for all arrays it is alike on.

Cuts, bands and groups of weights are those of the schedule itself (`arch/systolic`). Most sizes of
an array change few of them: a layer whose weights fit a memory does not care how large that is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, TypeVar, cast

import numpy as np

from intaglio.arch.systolic.array import PARAMETER_CONTAINER, Array, Dataflow
from intaglio.arch.systolic.blocks import Block, Piece, blocks
from intaglio.arch.systolic.constants import parameter_words, weight_groups
from intaglio.arch.systolic.layers import Layer, Network
from intaglio.arch.systolic.plan import Plan, plan, rows_of
from intaglio.arch.systolic.predict import Memory, chunks_per_beat
from intaglio.arch.systolic.schedule import (
    ACT,
    BOOK,
    PARAMETERS,
    WEIGHTS,
    leaves_each_step,
    pace,
)
from intaglio.arch.systolic.tensors import Tensor, tensor
from intaglio.errors import ModelError
from intaglio.explore.array_bounds import AROUND_LOAD
from intaglio.explore.array_following import (
    READ_LATENCY,
    WEIGHT_CHUNKS,
    WEIGHT_GAP,
    Numbers,
    Tables,
)

#: Words with which a memory of weights holds most layers whole.
MANY_WORDS = 1 << 16

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class _Cut:
    """A layer's blocks without their words: of these only the values, for codebooks.

    `least` are the words that there are however the pieces are cut further, as steps of equal words
    keep them once.
    """

    blocks: tuple[Block, ...]
    values: tuple[tuple[Numbers, ...], ...]
    least: int

    @cached_property
    def words(self) -> int:
        """Words of weights of all blocks."""
        return sum(piece.size for block in self.blocks for piece in block.pieces)

    @cached_property
    def longest(self) -> int:
        """Words of the longest piece, before equal ones are kept once."""
        return max(piece.steps * piece.weights for block in self.blocks for piece in block.pieces)


@dataclass(frozen=True, eq=False)
class Groups:
    """A layer's blocks with their weights in groups: see `Tables`.

    `words` are those of all blocks, `least` those that are left if they are cut further. `read` is
    each term and value that is read, in the order in which they are loaded.

    Shapes: starts [blocks + 1], segments [S, 2], beats [groups, 2]; `folds` [S, kinds] says how
    many folds of a segment there are of each of `pieces`, which differ in steps or words.
    """

    blocks: tuple[Block, ...]
    words: int
    least: int
    read: tuple[tuple[int, str], ...]
    starts: tuple[int, ...]
    segments: Numbers
    beats: Numbers
    pieces: tuple[Piece, ...]
    folds: Numbers


class Followed:
    """A program that is followed on arrays of one kind: all but shape, dataflow and buffers alike.

    Exactness: cycles are those of `ArrayDesign.prediction` where `follows_exactly`, and else at
    most those.
    """

    def __init__(self, net: Network, like: Array, memory: Memory) -> None:
        self.net, self.like, self.memory = net, like, memory
        source = net.source
        shape = (1, 1, 1, *source.type.shape)[-3:]
        named = [(source.name, (shape[0], shape[1], shape[2]), source.type.integer)]
        named += [(layer.name, layer.shape, layer.element) for layer in net.layers]
        self.tensors: dict[str, Tensor] = {}
        self.first_row: dict[str, int] = {}
        self.rows = 0
        for name, sizes, element in named:
            packed = name in net.packed
            self.tensors[name] = tensor(name, sizes, element, 0, like, packed=packed)
            self.first_row[name] = self.rows
            self.rows += sizes[0]
        self._made: dict[tuple[Hashable, ...], Any] = {}
        self._plans: dict[Hashable, Plan] = {}
        self._tables: dict[Hashable, Tables] = {}

    def tables(self, array: Array, flows: Sequence[Dataflow]) -> list[Tables]:
        """Return the tables of all layers; equal arrays get the same ones.

        Raises:
            ModelError: a layer does not fit the array.
        """
        found = []
        for index, flow in enumerate(flows):
            cut = self.cut(index, array, flow)
            found.append(self.table(index, array, flow, cut, self.plan(index, array, flow, cut)))
        return found

    def least(
        self, array: Array, timing: Numbers, cuts: Sequence[Collection[Groups]], folds: Numbers
    ) -> int:
        """Return cycles that weights take at least, whatever the pixels are cut to.

        All of a layer's weights but what the memory holds come in while the array is at work on it.
        `cuts` are those of each layer that may be chosen, `folds` its cycles on the array at least.
        """
        latency, gap = timing[READ_LATENCY], timing[WEIGHT_GAP]
        each = max(0, latency + timing[WEIGHT_CHUNKS] + AROUND_LOAD - 1 - gap)
        beat = min(gap, latency + AROUND_LOAD)  # of loads of one beat too
        word = array.lanes * array.weight_container / array.beat_bits * beat
        room = array.weight_words
        loads = late = 0
        for some, fold in zip(cuts, folds, strict=True):
            words = min(one.least for one in some)
            loads += int(-(-words // (room // 2)) * each) + int(words * word)
            late += max(int(fold), int((words - room) * word))
        return max(loads, late)

    def table(self, index: int, array: Array, flow: Dataflow, groups: Groups, how: Plan) -> Tables:
        """Return a layer's table for a cut and a plan."""
        key = index, flow, id(groups), id(how)
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = self._make(index, array, flow, groups, how)
        return found

    def least_counts(
        self,
        array: Array,
        cuts: Sequence[Mapping[Dataflow, Groups]],
        plans: Sequence[Mapping[Dataflow, Plan]],
    ) -> tuple[Numbers, int]:
        """Return the least counts of each layer, and cycles of all folds, pixels cut as in `plans`.

        `cuts` are those of a memory that holds all weights. A smaller one makes no fewer pieces, so
        many groups of them at least as fill it, and each tile of pixels goes through all groups.

        Shapes: [layers, 6].
        """
        counts, cycles = [], 0
        for index, (cut, some) in enumerate(zip(cuts, plans, strict=True)):
            each = [
                self._least_of(index, array, flow, groups, some[flow])
                for flow, groups in cut.items()
                if flow in some
            ]
            counts.append([min(column) for column in zip(*each, strict=True)])
            cycles += counts[-1].pop()
        return _table(counts), cycles

    def _least_of(
        self, index: int, array: Array, flow: Dataflow, groups: Groups, how: Plan
    ) -> tuple[int, ...]:
        """Return the least counts of a layer in a dataflow, and the cycles of its folds."""

        def fixed() -> tuple[tuple[int, ...], int]:
            counts = self._counts(index, array, groups, how, (0, 0))
            costs = _cycles(self.net.layers[index], groups, _tiles(how), array, flow).sum(axis=1)
            high, wide = len(how.bands) - 1, len(how.columns) - 1
            return counts, int(np.dot((high * wide, high, wide, 1), costs))

        key = "least", index, id(groups), id(how)
        (loads, folds, drains, stores, words, beats), cycles = self._once(key, fixed)
        tiles = len(how.bands) * len(how.columns)
        parts = max(1, -(-groups.least // (array.weight_words // 2)))
        times = tiles if parts > 1 else 1
        moved = groups.least * array.lanes * array.weight_container // array.beat_bits
        folds = max(folds, tiles * parts)
        books = 2 if array.code_bits else 1
        return (
            loads + times * parts * books,
            folds,
            drains,
            stores,
            words,
            beats + times * moved,
            cycles + 2 * folds,
        )

    def _counts(
        self, index: int, array: Array, groups: Groups, how: Plan, weights: tuple[int, int]
    ) -> tuple[int, ...]:
        """Return a layer's counts with so many loads and beats of weights."""
        layer = self.net.layers[index]
        out = self.tensors[layer.name]
        tiles, joins = len(how.bands) * len(how.columns), len(layer.terms) > 1
        words = parameter_words(layer, groups.blocks, array)
        loaded = sum(beats for band in how.bands for beats, _ in self._loads(layer, groups, band))
        stored = out.planes * sum(out.rows_at(band)[1] for band in how.bands)
        return (
            1 + len(how.bands) * len(groups.read) + weights[0],
            tiles * int(groups.segments[:, 1].sum()),
            tiles * len(groups.blocks) * (out.planes + joins),
            len(how.bands) * out.planes,
            words,
            _parameter_beats(words, array) + weights[1] + loaded + stored,
        )

    def forget(self) -> None:
        """Drop what only the shapes asked for so far need."""
        self._made = {key: found for key, found in self._made.items() if key[0] == "plan"}
        self._tables.clear()

    def live(self) -> list[Numbers]:
        """Return, for each layer, the rows of `written` that are read after it."""
        found: list[Numbers] = []
        read: set[str] = set()
        for layer in reversed(self.net.layers):
            rows = [self.first_row[name] + row for name in read for row in self.tensors[name].whole]
            found.append(_table(sorted(rows)))
            read |= {part.value for term in layer.terms for part in self.net.parts[term.value]}
        return found[::-1]

    # --- parts of a layer's tables ----------------------------------------------------------------

    def _once(self, key: tuple[Hashable, ...], make: Callable[[], Made]) -> Made:
        """Make something once; what cannot be made fails each time with the same words."""
        found = self._made.get(key)
        if found is None:
            try:
                found = make()
            except ModelError as error:
                found = str(error)
            self._made[key] = found
        if isinstance(found, str):
            raise ModelError(found)
        return cast("Made", found)

    def cut(self, index: int, array: Array, flow: Dataflow) -> Groups:
        """Return how a layer's weights are cut: alike whatever `act_rows`, mostly `sum_rows`.

        Raises:
            ModelError: they cannot be cut so.
        """
        layer = self.net.layers[index]
        wide: int | None = None
        if flow is Dataflow.INPUT_STATIONARY:
            outputs = len(layer.terms[0].weight) // layer.terms[0].groups
            wide = min(-(-outputs // array.columns), array.sum_rows // array.columns)
        common = index, array.rows, array.columns, wide

        def cut(words: int) -> _Cut:
            sized = replace(array, weight_words=words)
            return _without_words(
                blocks(self.net, layer, sized, flow), array, whole=words == MANY_WORDS
            )

        room = array.weight_words // 2
        words = MANY_WORDS
        whole = self._once(("cut", *common, words), lambda: cut(MANY_WORDS))
        if whole.longest > room:
            words = array.weight_words
            whole = self._once(("cut", *common, words), lambda: cut(words))
        key = "groups", *common, words, None if whole.words <= room else room
        return self._once(key, lambda: _grouped(whole, array))

    def plan(self, index: int, array: Array, flow: Dataflow, cut: Groups) -> Plan:
        """Return how a layer's pixels are cut: alike whatever `weight_words`.

        Raises:
            ModelError: they cannot be cut so.
        """
        layer = self.net.layers[index]
        most = 2 * layer.shape[0] * layer.shape[1]
        key: Hashable = min(array.sum_rows, 1 << most.bit_length())
        if flow is Dataflow.INPUT_STATIONARY:
            channels = max(block.channels for block in cut.blocks)
            key = array.sum_rows, array.columns, -(-channels // array.columns)

        def make() -> Plan:
            out = self.tensors[layer.name]
            how = plan(layer, cut.blocks, self.tensors, out, array, flow)
            alike = index, how.bands, how.columns, how.whole_in, how.whole_out
            return self._plans.setdefault(alike, how)

        return self._once(("plan", index, array.act_elements, key), make)

    def _make(self, index: int, array: Array, flow: Dataflow, groups: Groups, how: Plan) -> Tables:
        layer = self.net.layers[index]
        out = self.tensors[layer.name]
        words = parameter_words(layer, groups.blocks, array)
        scalars = (
            _parameter_beats(words, array),
            flow.value,
            out.planes,
            len(layer.terms) > 1,
            how.whole_in,
            how.whole_out,
            self.first_row[layer.name],
        )
        drained = [-(-block.channels // array.columns) for block in groups.blocks]
        bands = [(len(one), 2 * (one is how.bands[-1]), out.rows_at(one)[1]) for one in how.bands]
        loads = [self._loads(layer, groups, band) for band in how.bands]
        # with one group of weights they stay; else each tile goes through all
        times = len(how.bands) * len(how.columns) if len(groups.beats) > 1 else 1
        books = int((groups.beats[:, 1] > 0).sum())
        weights = (len(groups.beats) + books) * times, times * int(groups.beats.sum())
        return Tables(
            _table(scalars),
            _table(bands),
            _table(loads),
            _table([len(columns) for columns in how.columns]),
            _table(list(zip(groups.starts, [*drained, 0], strict=True))),
            groups.segments,
            _cycles(layer, groups, _tiles(how), array, flow),
            groups.beats,
            _table(self._counts(index, array, groups, how, weights)),
        )

    def _loads(self, layer: Layer, groups: Groups, band: range) -> list[tuple[int, int]]:
        """Return beats and last row of each value that a band of output rows reads."""
        found = []
        for term, value in groups.read:
            place = self.tensors[value]
            rows = place.whole if place.packed else rows_of(layer.terms[term], band)
            found.append((place.rows_at(rows)[1], self.first_row[value] + rows.stop - 1))
        return found


def timing_of(array: Array, memory: Memory) -> Numbers:
    """Return what `follow` has to know of an array and its memory."""
    chunks = {kind: chunks_per_beat(array, kind) for kind in (ACT, WEIGHTS, PARAMETERS, BOOK)}
    gaps = {kind: max(memory.read_gap, count) for kind, count in chunks.items()}
    loads = [n for kind in chunks for n in (gaps[kind], chunks[kind])]
    reads = array.act_beat // array.act_chunk
    stores = reads, max(memory.write_gap, reads), memory.write_latency
    return _table([memory.read_latency, *loads, *stores, array.fold_delay])


def _parameter_beats(words: int, array: Array) -> int:
    """Return the beats of so many words of parameters."""
    return -(-words * array.lanes * PARAMETER_CONTAINER // array.beat_bits)


def _grouped(cut: _Cut, array: Array) -> Groups:
    """Put a cut's weights in groups."""
    places = weight_groups(cut.blocks, array.weight_words // 2)
    found: dict[tuple[int, int], list[int]] = {}
    for group, together in enumerate(places):
        for block, piece, _ in together:
            found.setdefault((block, group), []).append(piece)
    order = sorted(found)
    starts = [0] * (len(cut.blocks) + 1)
    for block, _ in order:
        starts[block + 1] += 1
    pieces: dict[tuple[int, int], tuple[int, Piece]] = {}
    counts = []
    for block, group in order:
        row: dict[int, int] = {}
        for some in (cut.blocks[block].pieces[index] for index in found[block, group]):
            kind, _ = pieces.setdefault((some.steps, some.weights), (len(pieces), some))
            row[kind] = row.get(kind, 0) + 1
        counts.append(row)
    read = (piece for block in cut.blocks for piece in block.pieces)
    return Groups(
        cut.blocks,
        cut.words,
        cut.least,
        tuple(dict.fromkeys((piece.term, piece.value) for piece in read)),
        tuple(accumulate(starts)),
        _table([(group, len(found[block, group])) for block, group in order]),
        _table([_beats(cut, group, array) for group in places]),
        tuple(piece for _, piece in pieces.values()),
        _table([[row.get(kind, 0) for kind in range(len(pieces))] for row in counts]),
    )


def _tiles(how: Plan) -> list[int]:
    """Return the pixels of each kind of tile: of the first and the last band, and columns."""
    return [
        len(band) * len(columns)
        for band in (how.bands[0], how.bands[-1])
        for columns in (how.columns[0], how.columns[-1])
    ]


def _cycles(
    layer: Layer, groups: Groups, tiles: Sequence[int], array: Array, flow: Dataflow
) -> Numbers:
    """Return the cycles that the folds of each segment use the array, for tiles of so many pixels.

    Shapes: [tiles, segments].
    """
    each_step = leaves_each_step(layer, flow)
    costs = []
    for pixels in tiles:
        paced = [pace(one, pixels, array, flow, each_step=each_step) for one in groups.pieces]
        costs.append(
            [
                -(-pixels // tile) * piece.steps * period
                for piece, (tile, period) in zip(groups.pieces, paced, strict=True)
            ]
        )
    return _table(costs) @ groups.folds.T


def _beats(cut: _Cut, places: Sequence[tuple[int, int, int]], array: Array) -> tuple[int, int]:
    """Return the beats of a group of weights, and of its codebook."""
    words = sum(cut.blocks[block].pieces[index].size for block, index, _ in places)
    beats = -(-words * array.lanes * array.weight_container // array.beat_bits)
    if not array.code_bits:
        return beats, 0
    book = np.unique(np.concatenate([cut.values[block][index] for block, index, _ in places]))
    if len(book) > 1 << array.code_bits:
        raise ModelError(f"weights must be at most {1 << array.code_bits} different values")
    return beats, -(-len(book) * 8 // array.beat_bits)


def _without_words(cut: Sequence[Block], array: Array, *, whole: bool) -> _Cut:
    """Keep of words only how many there are, and of their values each one, for a codebook.

    Of a cut that may be cut further (`whole`) also how many there are then at least.
    """

    def emptied(piece: Piece) -> Piece:
        return replace(piece, words=_nothing(piece.words.shape))

    def values(piece: Piece) -> Numbers:
        return np.unique(piece.words) if array.code_bits else piece.words[:0]

    return _Cut(
        tuple(replace(block, pieces=tuple(map(emptied, block.pieces))) for block in cut),
        tuple(tuple(map(values, block.pieces)) for block in cut),
        sum(_least_words(piece) for block in cut for piece in block.pieces) if whole else 0,
    )


def _least_words(piece: Piece) -> int:
    """Return the words of a piece however it is cut: one step for each that follows another one.

    Cuts that take some words of each kernel column put other steps side by side: there one is left.
    """
    if piece.s_count > 1 and piece.u_count > 1:
        return piece.weights
    changes = (piece.words[1:] != piece.words[:-1]).any(axis=(1, 2)).sum()
    return piece.weights * (1 + int(changes))


@lru_cache(1 << 12)
def _nothing(shape: tuple[int, ...]) -> Numbers:
    """Return zeros that take no room."""
    return np.broadcast_to(np.int64(0), shape)


def _table(rows: Any) -> Numbers:
    return np.asarray(rows, np.int64)
