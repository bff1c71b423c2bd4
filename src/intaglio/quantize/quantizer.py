# SPDX-License-Identifier: Apache-2.0
"""What a quantizer answers: which integers stand for which real numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from intaglio.ir.operator import Operator
from intaglio.numerics.types import IntType
from intaglio.ops.function import Function
from intaglio.quantize.ranges import Coding, Range

__all__ = ["Coding", "Quantizer"]

#: Scales of operands and result, of a certain operator, to those that a target can have.
Meeting = Callable[[Any, tuple[float, ...], float], tuple[tuple[float, ...], float]]


def weight_as_chosen(_source: float, weight: float, _result: float) -> float:
    """Keep a weight's scale: multipliers and shifts of any size are built."""
    return weight


def bias_as_chosen(_products: float, bias: float, _result: float) -> float:
    """Keep a bias's scale."""
    return bias


def mean_factor(window: tuple[int, int]) -> float:
    """Return what the sum over a window is multiplied by to be its mean."""
    return 1.0 / (window[0] * window[1])


def function_as_given(function: Function) -> Function:
    """Keep a function."""
    return function


@dataclass(frozen=True, slots=True)
class Quantizer:
    """One way to choose scales. A new one is a file with the first two functions and a line.

    `activation` covers a range with the codes of a type, which it may change in sign.
    `symmetric` returns the scale whose codes, zero point 0, cover -magnitude..magnitude.
    Both answer scale 1 where there is nothing but zero.

    The others are for targets of limits. `weight` takes the scales of a layer's input, weights and
    result and returns that of the weights as the target has it; `bias` those of its products, bias
    and result. `meetings` takes, for an operator whose scales have to fit together, those of its
    operands and of its result, and returns them as the target has them. `mean` is the factor of the
    average over a window, `function` what is computed in place of a function.
    """

    name: str
    activation: Callable[[Range, IntType], Coding]
    symmetric: Callable[[float, IntType], float]
    weight: Callable[[float, float, float], float] = weight_as_chosen
    bias: Callable[[float, float, float], float] = bias_as_chosen
    meetings: Mapping[type[Operator], Meeting] = field(default_factory=dict)
    mean: Callable[[tuple[int, int]], float] = mean_factor
    function: Callable[[Function], Function] = function_as_given
