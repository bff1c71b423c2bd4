# SPDX-License-Identifier: Apache-2.0
"""Multiplier and shift as a quotient of scales, and rounding as ONNX rounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.reals.writer import Codes, Real, Writer
from intaglio.ir.graph import Node
from intaglio.numerics.rounding import Rounding
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine, Ties


@dataclass(frozen=True, eq=False)
class Staircase:
    """What a requantizer does: zero_point + round(slope * code + start), saturated.

    `start` holds all that is added before the quantizer's rounding to nearest, ties to even. If
    `even` is not None ties occur, and are to be even or odd before the zero point is added.

    Shapes: slope and start [1] or [C].
    """

    slope: np.ndarray
    start: np.ndarray
    shift: int
    zero_point: int
    even: bool | None


def staircase(writer: Writer, node: Node) -> Staircase | None:
    """Return what a requantizer does, or None if the node is none.

    Raises:
        ModelError: it rounds as no quantizer does.
    """
    graph = writer.program.graph
    constants = [
        graph.constants[name].data.astype(np.int64)
        for name in node.inputs
        if name in graph.constants
    ]
    match node.op:
        case Requantize():
            return _plain(node, node.op, constants[0])
        case RequantizeAffine():
            return _affine(node.op, *constants)
        case _:
            return None


def _plain(node: Node, op: Requantize, multiplier: np.ndarray) -> Staircase:
    half = np.array([(1 << op.shift) >> 1])
    match op.rounding:
        case Rounding.HALF_UP:
            start = _between_sums(multiplier, half, op.shift)
        case Rounding.FLOOR:
            start = _between_sums(multiplier, 0 * half, op.shift)
        case Rounding.HALF_EVEN:
            start = np.zeros(1)
        case other:
            raise ModelError(f"{node} must round half up, half to even or down, not {other.value}")
    even = True if op.rounding is Rounding.HALF_EVEN and op.shift else None
    return Staircase(multiplier * 2.0**-op.shift, start, op.shift, op.zero_point, even)


def _affine(op: RequantizeAffine, multiplier: np.ndarray, addend: np.ndarray) -> Staircase:
    slope = multiplier * 2.0**-op.shift
    if op.ties is Ties.UP:
        start = _between_sums(multiplier, addend, op.shift)
        return Staircase(slope, start, op.shift, op.zero_point, None)
    start = addend * 2.0**-op.shift - 0.5
    return Staircase(slope, start, op.shift, op.zero_point, op.ties is Ties.EVEN)


def _between_sums(multiplier: np.ndarray, addend: np.ndarray, shift: int) -> np.ndarray:
    """Return what makes rounding to nearest of (multiplier * n) / 2^shift what the shift does.

    The sums multiplier * n + addend are a power of two apart, or a multiple of it. Moved by half of
    that, no sum lies where codes change: there are no ties, and float32 may be off by nearly as
    much before a code does change.

    Shapes: multiplier, addend [1] or [C]; result likewise.
    """
    apart = np.where(multiplier == 0, 1 << shift, multiplier & -multiplier)
    apart = np.minimum(apart, 1 << shift)
    return (2 * (addend // apart * apart) + apart - (1 << shift)) * 2.0 ** -(shift + 1)


def requantized(writer: Writer, node: Node, _op: Requantize | RequantizeAffine) -> Real:
    """Write a requantizer: what is left of its factors and addends, and a quantizer."""
    found = staircase(writer, node)
    if found is None:
        raise TypeError(node.op)
    x = writer.reals[node.inputs[0]]
    same = _relabeled(writer, node, x, found) or _truncated(writer, node, x)
    if same is not None:
        return same
    scale = writer.scale(node.name)
    zero = _zero(writer, node, found)
    factor = scale * found.slope / x.scale
    offset = scale * (found.slope * x.zero + found.start + (found.zero_point - zero))
    offset = offset + factor * x.owed
    tensor = writer.affine(node.name, x, factor, offset, writer.shape(node.name))
    exact = powers_of_two(found.slope) and powers_of_two(np.atleast_1d(scale))
    if not exact or np.any(np.float32(offset) != offset):
        writer.inexact.append(node.name)
    return Real(writer.quantized(node, tensor, scale, zero), np.array([scale]), zero, x.turned)


requantized_affine = requantized


def _relabeled(writer: Writer, node: Node, x: Real, found: Staircase) -> Real | None:
    """Return the same reals with other codes, where nothing is rounded and nothing saturates."""
    slope, start = found.slope[0], found.start[0]
    if found.shift or found.even is not None or not powers_of_two(found.slope):
        return None
    if np.any(found.slope != slope) or np.any(found.start != start) or slope <= 0:
        return None
    types = writer.type(node.inputs[0]), writer.type(node.name)
    low, high = (
        int(slope * end + start) + found.zero_point for end in (types[0].min, types[0].max)
    )
    if low < types[1].min or high > types[1].max:
        return None
    zero = int(slope * x.zero + start) + found.zero_point
    one, shape = np.ones(1), writer.shape(node.name)
    tensor = writer.affine(node.name, x, one, x.owed, shape)
    return replace(x, tensor=tensor, scale=x.scale / slope, zero=zero, owed=np.zeros(1))


def _truncated(writer: Writer, node: Node, x: Real) -> Real | None:
    """Return the high bits of codes as they are, where a requantizer leaves out the others only."""
    op = node.op
    if not isinstance(op, Requantize) or op.rounding is not Rounding.FLOOR or not op.shift:
        return None
    ones = np.all(writer.program.graph.constants[node.inputs[1]].data == 1)
    alike = np.all(x.scale == x.scale[0]) and not np.any(x.owed)
    if not ones or op.zero_point or x.zero or not alike:
        return None
    source = Codes(writer.type(node.inputs[0]), x.scale[:1])
    how = Codes(writer.type(node.name), x.scale[:1] * 2.0**op.shift)
    tensor = writer.dialect.truncation(writer.model, x.tensor, source, how, node.name)
    return None if tensor is None else Real(tensor, how.scale, 0, x.turned)


def _zero(writer: Writer, node: Node, found: Staircase) -> int:
    """Return the zero point a quantizer has in the model; ties may ask for another than the true.

    Raises:
        ModelError: ties come out otherwise than in the program.
    """
    zero = writer.zero(node.name, found.zero_point)
    if found.even is None:
        return zero
    parity = 0 if found.even else 1
    if writer.dialect.offset_first:
        fits = found.zero_point % 2 == parity
    else:
        element = writer.type(node.name)
        tried = (zero, found.zero_point, found.zero_point - 1, found.zero_point + 1)
        good = [
            z
            for z in tried
            if (found.zero_point - z) % 2 == parity and element.min <= z <= element.max
        ]
        fits, zero = bool(good), good[0] if good else zero
    if not fits:
        ties = "even" if found.even else "odd"
        raise ModelError(
            f"{node} must have ties that the format's quantizer rounds alike, not to {ties} with "
            f"zero point {found.zero_point}"
        )
    return zero


def powers_of_two(numbers: np.ndarray) -> bool:
    """Tell whether all numbers are powers of two."""
    return all(
        (fraction := Fraction(float(n))) > 0
        and (fraction.numerator & (fraction.numerator - 1)) == 0
        for n in numbers
    )
