# SPDX-License-Identifier: Apache-2.0
"""Powers of two as the DPU of Vitis AI has them: shifts of few bits, averages by k / 2^n.

With positions as exponents of steps, scale = 2^-position:

    shift_cut  = w + x - y   in 0..16                         else the weights' position is moved
    shift_bias = w + x - b   in min(0, shift_cut - 16)..16    else the bias's is

For a sum and a product of two activations, x the operands' positions:

    shift_read  = max x - min x   in 0..15      else the largest x is moved
    shift_write = min x - y       in -15..15    else y is

A sigmoid reads x in 0..15 and writes y of at least 7 and at most x + 14.

Source: Xilinx, Vitis AI 3.0, constraints of the compiler on fixed-point positions and simulation of
its operators.
"""

from __future__ import annotations

import math

from intaglio.ir.operator import Operator
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.function import Function
from intaglio.ops.mul import Mul
from intaglio.quantize import power_of_two
from intaglio.quantize.quantizer import Coding, Quantizer
from intaglio.quantize.ranges import Range

#: The largest shifts of the unit that cuts accumulators.
MAX_SHIFT = 16
#: The factors that the DPU's pooling has for square windows, n of k / 2^n with k.
MEANS = {3: (7, 6), 5: (10, 8), 6: (7, 8), 7: (21, 10), 14: (21, 12)}
#: The largest shifts with which operands of a sum or product are read, and results written.
MAX_READ, MAX_WRITE = 15, 15
SIGMOIDS = ("sigmoid", "hard_sigmoid")
LEAKY = Function("leaky_relu", (0.1,))
#: Windows of longer sides are averaged exactly.
LONGEST_WINDOW = 255


def activation(range_: Range, element: IntType) -> Coding:
    """Cover a range around zero with signed codes; the DPU has no others."""
    signed = IntType(element.width, signed=True, narrow=element.narrow)
    return power_of_two.activation(range_, signed)


def weight(source: float, weight: float, result: float) -> float:
    """Return the weights' scale that keeps `shift_cut` within its limits."""
    cut = _position(weight) + _position(source) - _position(result)
    return math.ldexp(weight, cut - min(max(cut, 0), MAX_SHIFT))


def bias(products: float, bias: float, result: float) -> float:
    """Return the bias's scale that keeps `shift_bias` within its limits."""
    cut = _position(products) - _position(result)
    shift = _position(products) - _position(bias)
    wanted = min(max(shift, min(0, cut - MAX_SHIFT)), MAX_SHIFT)
    return math.ldexp(bias, wanted - shift)


def met(
    _op: Operator, sources: tuple[float, ...], result: float
) -> tuple[tuple[float, ...], float]:
    """Return scales of two operands and their result with shifts within the limits of the unit."""
    positions = [_position(scale) for scale in sources]
    near, out = min(positions), _position(result)
    read = [min(position, near + MAX_READ) for position in positions]
    out = min(max(out, near - MAX_WRITE), near + MAX_WRITE)
    return tuple(_scale(position) for position in read), _scale(out)


def sigmoid(
    op: Function, sources: tuple[float, ...], result: float
) -> tuple[tuple[float, ...], float]:
    """Return the scales that the unit of sigmoids reads and writes; other functions have any."""
    if op.kind not in SIGMOIDS:
        return sources, result
    position = min(max(_position(sources[0]), 0), 15)
    return (_scale(position),), _scale(min(max(_position(result), 7), position + 14))


def mean(window: tuple[int, int]) -> float:
    """Return the factor of an average: k / 2^n, the nearest one with n < 7 + log2(area)."""
    rows, columns = window
    if rows == columns and rows in MEANS:
        k, n = MEANS[rows]
        return k / 2**n
    if max(window) > LONGEST_WINDOW:
        return 1.0 / (rows * columns)
    area = rows * columns
    limit = 7 + math.ceil(math.log2(area))
    factors = [max(1, math.floor(2**n / area + 0.5)) / 2**n for n in range(limit)]
    return min(factors, key=lambda factor: abs(factor - 1.0 / area))


def function(function: Function) -> Function:
    """Return the unit's leaky_relu, whose only slope below zero is 26/256, for that of 0.1."""
    return Function("leaky_relu", (26 / 256,)) if function == LEAKY else function


def _position(scale: float) -> int:
    return 1 - math.frexp(scale)[1]


def _scale(position: int) -> float:
    return math.ldexp(1.0, -position)


VITIS = Quantizer(
    "vitis",
    activation,
    power_of_two.symmetric,
    weight,
    bias,
    {Add: met, Mul: met, Function: sigmoid},
    mean,
    function,
)
