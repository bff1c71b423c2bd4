# SPDX-License-Identifier: Apache-2.0
"""Convolutions and dense layers: which kernel is exact for one, and its weights as that takes them.

Bytes times bytes are summed in 32 bits, four products a step; the requantize behind it is done on
the side. Everything else is summed in 64 bits, which holds every accumulator there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.engine.assembly import (
    NARROW,
    WIDE,
    Assembly,
    Instruction,
    Kind,
    NoKernelError,
    Place,
)
from intaglio.ir.graph import Node
from intaglio.numerics.rounding import Rounding
from intaglio.ops.requantize import Requantize

#: Results side by side, products a step, and the most pixels at once; those of `kernels.cpp`.
LANES, STEP, PIXELS = 16, 4, 8
INT32_MAX = (1 << 31) - 1
#: Bits of a sum.
WORD = 32
#: An unsigned byte is at most this; signed bytes are made unsigned by adding OFFSET.
BYTE_MAX, OFFSET = 255, 128
SCALE_WORDS = 8
#: Within these a requantize of 32-bit numbers needs no more than 32 bits for its results, and no
#: more than 63 for what is shifted.
NARROW_LIMIT, NARROW_SHIFT = 1 << 30, 30
#: Those that kernels know, by the numbers of `frame.h`.
ROUNDINGS = {
    Rounding.HALF_UP: 0,
    Rounding.HALF_EVEN: 1,
    Rounding.HALF_AWAY: 2,
    Rounding.FLOOR: 3,
}


@dataclass(frozen=True)
class Dot:
    """A convolution in the words of the kernels; a dense layer is one of a single pixel.

    Shapes: weight [K, R, S, C / groups], bias [K].
    """

    image: tuple[int, int, int]
    padding: tuple[int, int, int, int]
    pad_value: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    weight: np.ndarray
    bias: np.ndarray
    window: tuple[int, int]

    @property
    def geometry(self) -> tuple[int, ...]:
        """Image and padding, as instructions hold them."""
        return (*self.image, *self.padding, self.pad_value)

    @property
    def padded(self) -> tuple[int, int, int]:
        """The image with its border."""
        (height, width, channels), (top, left, bottom, right) = self.image, self.padding
        return height + top + bottom, width + left + right, channels

    def room(self, assembly: Assembly, kind: Kind) -> int:
        """Set room aside for the image with its border."""
        height, width, channels = self.padded
        return assembly.room(height * width * channels, kind).offset


def put_dot(assembly: Assembly, node: Node, dot: Dot) -> str:
    """Append a dot product, with the requantize behind it where there is one it can do.

    Returns:
        The name of the last value made: the node's own or the requantize's.
    """
    x = assembly.places[node.inputs[0]]
    if not fits_bytes(dot, x):
        _put_wide(assembly, node, dot, x)
        return node.name
    return _put_bytes(assembly, node, dot, x)


def fits_bytes(dot: Dot, x: Place) -> bool:
    """Tell whether no sum of byte products, in any order, can leave 32 bits.

    Exactness: the bound is on the sum of the absolute values of all terms of a result, for any
    input of the operand's type, moved up by OFFSET where that is signed.
    """
    if x.kind not in (Kind.U8, Kind.S8):
        return False
    if not np.iinfo(x.kind.dtype).min <= dot.pad_value <= np.iinfo(x.kind.dtype).max:
        return False
    weight = dot.weight.reshape(len(dot.weight), -1).astype(np.int64)
    if weight.min() < -OFFSET or weight.max() >= OFFSET:
        return False
    magnitude = BYTE_MAX * np.abs(weight).sum(axis=1) + np.abs(_bias(dot, weight, x))
    return int(magnitude.max()) <= INT32_MAX


def _bias(dot: Dot, weight: np.ndarray, x: Place) -> np.ndarray:
    """Return the bias that makes up for moving signed bytes up."""
    bias = dot.bias.astype(np.int64)
    return bias - OFFSET * weight.sum(axis=1) if x.kind is Kind.S8 else bias


def _put_bytes(assembly: Assembly, node: Node, dot: Dot, x: Place) -> str:
    copied = any(dot.padding) or x.kind is Kind.S8
    scratch = dot.room(assembly, Kind.U8) if copied else -1
    outputs = len(dot.weight) // dot.groups
    offsets, weight = _steps(dot)
    bias = _bias(dot, dot.weight.reshape(len(dot.weight), -1).astype(np.int64), x)
    last, tail = node, (0,) * (SCALE_WORDS + 1)
    if found := _requantizer(assembly, node):
        last, op = found
        table = _multipliers(assembly, last, dot.groups, outputs)
        tail = (1, *_lifted(assembly, op, table))
    y = assembly.place(last.name, WIDE if last is node else NARROW)
    assembly.put(
        Instruction.DOT_BYTES,
        *x.words,
        *dot.geometry,
        scratch,
        *dot.window,
        *dot.stride,
        dot.groups,
        outputs,
        len(offsets),
        assembly.constant(offsets.astype(np.int32)),
        assembly.constant(_lanes(weight, dot.groups)),
        assembly.constant(_by_lanes(bias, dot.groups).astype(np.int32)),
        *y.words,
        *tail,
    )
    return last.name


def _steps(dot: Dot) -> tuple[np.ndarray, np.ndarray]:
    """Cut a window into steps of four neighboring bytes.

    Returns:
        The offset of each step from the window's first byte, and the weights as they meet those
        bytes, [K, steps, 4]; what a step reads beyond its run meets a weight of zero.
    """
    _, width, channels = dot.padded
    outputs, rows, columns, _ = dot.weight.shape
    whole_rows = dot.groups == 1 and dot.dilation[1] == 1
    runs = dot.weight.reshape(outputs, rows, 1 if whole_rows else columns, -1)
    length = runs.shape[-1]
    starts = (
        np.arange(rows)[:, None] * dot.dilation[0] * width * channels
        + np.arange(runs.shape[2]) * dot.dilation[1] * channels
    )
    steps = -(-length // STEP)
    padded = np.zeros((*runs.shape[:3], steps * STEP), dtype=np.int8)
    padded[..., :length] = runs
    offsets = starts[..., None] + np.arange(steps) * STEP
    return offsets.ravel(), padded.reshape(outputs, -1, STEP)


def _lanes(weight: np.ndarray, groups: int) -> np.ndarray:
    """Lay weights [K, steps, 4] out as [groups, blocks, steps, lanes, 4]; missing lanes are 0."""
    outputs, steps = len(weight) // groups, weight.shape[1]
    blocks = -(-outputs // LANES)
    lanes = np.zeros((groups, blocks * LANES, steps, STEP), dtype=np.int8)
    lanes[:, :outputs] = weight.reshape(groups, outputs, steps, STEP)
    return lanes.reshape(groups, blocks, LANES, steps, STEP).transpose(0, 1, 3, 2, 4)


def _by_lanes(values: np.ndarray, groups: int) -> np.ndarray:
    """Lay one number for each output out as [groups, blocks * lanes]."""
    outputs = len(values) // groups
    lanes = np.zeros((groups, -(-outputs // LANES) * LANES), dtype=np.int64)
    lanes[:, :outputs] = values.reshape(groups, outputs)
    return lanes


def _requantizer(assembly: Assembly, node: Node) -> tuple[Node, Requantize] | None:
    """Return the requantize that the kernel of bytes can do on the side, in 32-bit lanes."""
    reader = assembly.only_reader(node.name)
    if reader is None or not isinstance(reader.op, Requantize):
        return None
    fits = Kind.holding(reader.op.element, NARROW) is not Kind.I64
    multiplier = assembly.graph.constants[reader.inputs[1]].data
    simple = reader.op.rounding in (Rounding.HALF_UP, Rounding.FLOOR)
    return (reader, reader.op) if simple and fits and int(multiplier.max()) <= INT32_MAX else None


def _multipliers(assembly: Assembly, node: Node, groups: int, outputs: int) -> np.ndarray:
    """Lay multipliers out as the lanes meet them, [groups, period]."""
    multiplier = np.broadcast_to(assembly.graph.constants[node.inputs[1]].data, groups * outputs)
    if groups == 1 and outputs < LANES:  # the pixels of a block are scaled side by side
        return np.resize(multiplier, (1, PIXELS * LANES))
    return _by_lanes(multiplier, groups)


def scale_words(op: Requantize, largest: int, multiplier: int, period: int) -> tuple[int, ...]:
    """Return a requantize as instructions hold it: SCALE_WORDS fields.

    Args:
        op: the requantize.
        largest: the largest multiplier.
        multiplier: where the multipliers lie.
        period: how many there are until they begin again.

    Exactness: a number of 32 bits times at most 2^(shift-1), shifted, stays below 2^30 and one;
    with a zero point and bounds of 30 bits nothing leaves 32 before it is clamped.
    """
    limits = op.element.min, op.element.max
    small = max(abs(op.zero_point), -limits[0], limits[1]) < NARROW_LIMIT
    narrow = small and op.shift <= NARROW_SHIFT and 2 * largest <= 1 << op.shift
    rounding = ROUNDINGS.get(op.rounding)
    if rounding is None:
        raise NoKernelError(f"requantize must round as kernels can, not {op.rounding.value}")
    return (multiplier, period, op.shift, op.zero_point, *limits, rounding, narrow)


def _lifted(assembly: Assembly, op: Requantize, table: np.ndarray) -> tuple[int, ...]:
    """Return a requantize with a shift of 32, where multipliers have room for it.

    Exactness: products, what is added to them and the shift all grow by the same power of two. What
    is shifted stays below 2^63: it was below 2^(30 + shift), and one.
    """
    words = scale_words(op, int(table.max()), 0, table.shape[1])
    lift = WORD - op.shift
    *_, narrow = words
    if not narrow or int(table.max()) << lift > INT32_MAX:
        lift = 0
    offset = assembly.constant((table.astype(np.int64) << lift).astype(np.int32))
    return (offset, words[1], op.shift + lift, *words[3:])


def _put_wide(assembly: Assembly, node: Node, dot: Dot, x: Place) -> None:
    scratch = dot.room(assembly, Kind.I64)
    assembly.put(
        Instruction.DOT_WIDE,
        *x.words,
        *dot.geometry,
        scratch,
        *dot.window,
        *dot.stride,
        dot.groups,
        len(dot.weight) // dot.groups,
        *dot.weight.shape[1:3],
        *dot.dilation,
        assembly.constant(dot.weight.astype(np.int64)),
        assembly.constant(dot.bias.astype(np.int64)),
        *assembly.place(node.name, WIDE).words,
    )
