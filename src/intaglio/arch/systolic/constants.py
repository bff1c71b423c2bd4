# SPDX-License-Identifier: Apache-2.0
"""Weights, codebooks and parameters of a layer in an array's memory, and whether they fit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.arch.systolic.array import MULTIPLIER_BITS, VALUE_BITS, Array
from intaglio.arch.systolic.blocks import Block, Piece
from intaglio.arch.systolic.layers import Layer, Scale
from intaglio.arch.systolic.tensors import Image, pack, parameter_bytes
from intaglio.errors import ModelError


@dataclass(frozen=True, eq=False)
class Weights:
    """What half of the memory of weights holds at a time.

    `places` lists block, piece of it, and its first word; both pairs of beats are first and number.
    """

    places: tuple[tuple[int, int, int], ...]
    beats: tuple[int, int]
    book_beats: tuple[int, int]

    def of(self, block: int) -> Iterator[tuple[int, int]]:
        """Yield the pieces of a block that are here, each with its first word."""
        return ((piece, word) for owner, piece, word in self.places if owner == block)


def put_weights(cut: Sequence[Block], array: Array, image: Image) -> tuple[Weights, ...]:
    """Put a layer's weights into memory, in groups that half of the array's own memory holds."""
    return tuple(
        Weights(tuple(places), *_put([cut[n].pieces[i] for n, i, _ in places], array, image))
        for places in weight_groups(cut, array.weight_words // 2)
    )


def weight_groups(cut: Sequence[Block], room: int) -> list[list[tuple[int, int, int]]]:
    """Return what is loaded together, in so many words: block, piece of it, and its first word."""
    groups: list[list[tuple[int, int, int]]] = [[]]
    used = 0
    for number, block in enumerate(cut):
        for index, piece in enumerate(block.pieces):
            if used + piece.size > room:
                groups.append([])
                used = 0
            groups[-1].append((number, index, used))
            used += piece.size
    return groups


def _put(
    pieces: Sequence[Piece], array: Array, image: Image
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Put the words of pieces into memory, as they are or as codes with their codebook."""
    rows = [piece.words.reshape(-1, piece.words.shape[2]) for piece in pieces]
    words = np.zeros((sum(map(len, rows)), array.lanes), np.int64)
    at = 0
    for some in rows:
        words[at : at + len(some), : some.shape[1]] = some
        at += len(some)
    if not array.code_bits:
        return image.put([pack(words, array.weight_container)]), (0, 0)
    book = np.unique(np.concatenate([some.ravel() for some in rows]))
    if len(book) > 1 << array.code_bits:
        raise ModelError(
            f"weights must be at most {1 << array.code_bits} different values for codes of "
            f"{array.code_bits} bits, not {len(book)}"
        )
    codes = np.clip(np.searchsorted(book, words), 0, len(book) - 1)
    return image.put([pack(codes, array.weight_container)]), image.put([pack(book, 8)])


def put_parameters(
    layer: Layer, cut: Sequence[Block], array: Array, image: Image
) -> tuple[int, int]:
    """Put a layer's biases and multipliers into memory: return first beat and number of beats.

    Words of a block: those of each term that has a scale of its own, then one for each `columns`
    outputs.

    Raises:
        ModelError: they do not fit half of the array's memory of parameters.
    """
    bias, multiplier, remainder = [], [], []
    for block in cut:
        for term in layer.terms:
            if term.scale is not None:
                bias.append(np.zeros(array.lanes, np.int64))
                factors = term.scale.multiplier
                multiplier.append(_lanes(factors, block.first, block.channels, array))
                remainder.append(np.zeros(array.lanes, np.int64))
        for first in range(block.first, block.first + block.channels, array.columns):
            count = min(array.columns, block.first + block.channels - first)
            bias.append(_lanes(layer.bias, first, count, array))
            multiplier.append(_lanes(layer.scale.multiplier, first, count, array))
            remainder.append(_lanes(layer.scale.remainder, first, count, array))
    if len(bias) > array.parameter_words // 2:
        raise ModelError(
            f"parameter_words must be at least {2 * len(bias)}, not {array.parameter_words}"
        )
    words = parameter_bytes(np.array(bias), np.array(multiplier), np.array(remainder), array)
    return image.put([words])


def parameter_words(layer: Layer, cut: Sequence[Block], array: Array) -> int:
    """Return the words of parameters that some blocks take."""
    own = sum(term.scale is not None for term in layer.terms)
    return sum(own - (-block.channels // array.columns) for block in cut)


def _lanes(values: np.ndarray, first: int, count: int, array: Array) -> np.ndarray:
    """Return a word's lanes: some of the values of a tensor, or the one that all share."""
    lanes = np.zeros(array.lanes, np.int64)
    lanes[:count] = values[0] if len(values) == 1 else values[first : first + count]
    return lanes


def scale_fields(scale: Scale) -> dict[str, int]:
    """Return the fields of a drain that a scale fills."""
    return {
        "shift": scale.shift,
        "zero_point": scale.zero_point,
        "low": scale.low,
        "high": scale.high,
    }


def check_layer(layer: Layer, array: Array) -> None:
    """Check that a layer's numbers fit the array.

    Raises:
        ModelError: one does not; the text says which size of the array is too small.
    """
    for term in layer.terms:
        if term.element.width > array.act_bits:
            raise ModelError(f"act_bits must be at least {term.element.width}")
        limit = 1 << (array.weight_bits - 1)
        low, high = int(term.weight.min()), int(term.weight.max())
        if low < -limit or high >= limit:
            raise ModelError(f"weights must fit s{array.weight_bits}, not {low}..{high}")
        largest = max(abs(term.element.min), abs(term.element.max), abs(term.pad_value))
        total = np.abs(term.weight).reshape(len(term.weight), -1).sum(axis=1) * largest
        reach = int((total + np.abs(layer.bias)).max())
        if reach >= 1 << (array.sum_bits - 1):
            raise ModelError(f"sum_bits must be at least {reach.bit_length() + 1}")
    for scale in (layer.scale, *(term.scale for term in layer.terms if term.scale)):
        if int(scale.multiplier.max()) >= 1 << MULTIPLIER_BITS or scale.shift > 63:
            raise ModelError(f"multipliers must fit u{MULTIPLIER_BITS}, and shifts 6 bits")
    if layer.scale.remainder.any() and not array.remainders:
        raise ModelError("remainders must be on: scales have addends finer than sums")
        span = 1 << (VALUE_BITS - 1)
        values = (scale.zero_point, scale.low, scale.high)
        if min(values) < -span or max(values) >= span:
            raise ModelError(f"scaled values must fit s{VALUE_BITS}, not {values}")
