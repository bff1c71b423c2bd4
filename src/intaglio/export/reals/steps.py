# SPDX-License-Identifier: Apache-2.0
"""Multiplier and shift as a quotient of scales, and rounding as ONNX rounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.reals.writer import Real, Writer
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
    constants = [writer.program.graph.constants[name].data for name in node.inputs[1:]]
    match node.op:
        case Requantize():
            return _plain(node, node.op, constants[0])
        case RequantizeAffine():
            return _affine(node.op, *constants)
        case _:
            return None


def _plain(node: Node, op: Requantize, multiplier: np.ndarray) -> Staircase:
    step = 2.0**-op.shift
    # Half of the finest step there is: ties go up then, and nothing else changes.
    up = np.array([step / 2 if op.shift else 0.0])
    starts = {Rounding.HALF_UP: up, Rounding.HALF_EVEN: 0 * up}
    starts[Rounding.FLOOR] = up - 0.5 if op.shift else up
    if op.rounding not in starts:
        raise ModelError(
            f"{node} must round half up, half to even or down, not {op.rounding.value}"
        )
    even = True if op.rounding is Rounding.HALF_EVEN and op.shift else None
    return Staircase(multiplier * step, starts[op.rounding], op.shift, op.zero_point, even)


def _affine(op: RequantizeAffine, multiplier: np.ndarray, addend: np.ndarray) -> Staircase:
    step = 2.0**-op.shift
    start = addend * step
    even = None if op.ties is Ties.UP else op.ties is Ties.EVEN
    if op.shift or even is not None:
        start = start - 0.5 + (step / 2 if even is None else 0.0)
    return Staircase(multiplier * step, start, op.shift, op.zero_point, even)


def requantized(writer: Writer, node: Node, _op: Requantize | RequantizeAffine) -> Real:
    """Write a requantizer: what is left of its factors and addends, and a quantizer."""
    found = staircase(writer, node)
    if found is None:
        raise TypeError(node.op)
    x = writer.reals[node.inputs[0]]
    same = _relabeled(writer, node, x, found)
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
