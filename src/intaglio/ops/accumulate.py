# SPDX-License-Identifier: Apache-2.0
"""Accumulators that cannot wrap: their width from the operand types and the reduction length."""

from __future__ import annotations

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, Element
from intaglio.numerics.types import IntType


def dot_element(x: Element, weight: Element, bias: Element, length: int) -> Element:
    """Return the narrowest type of `sum of length products + bias`, floats staying floats.

    Raises:
        ModelError: integers and floats are mixed, or no supported width holds the sum.
    """
    if isinstance(x, IntType) and isinstance(weight, IntType) and isinstance(bias, IntType):
        products = [a * b for a in (x.min, x.max) for b in (weight.min, weight.max)]
        low, high = length * min(products) + bias.min, length * max(products) + bias.max
        return IntType.holding(low, high)
    if isinstance(x, IntType) or isinstance(weight, IntType) or isinstance(bias, IntType):
        raise ModelError(f"operands must all be integers or all floats, not {x}, {weight}, {bias}")
    return FLOAT32


def product_element(x: IntType, y: IntType, length: int = 1) -> IntType:
    """Return the narrowest type of a sum of `length` products."""
    products = [a * b for a in (x.min, x.max) for b in (y.min, y.max)]
    return IntType.holding(length * min(products), length * max(products))


def sum_element(element: Element, length: int) -> Element:
    """Return the narrowest type of a sum of `length` elements, floats staying floats."""
    if isinstance(element, IntType):
        return IntType.holding(length * element.min, length * element.max)
    return FLOAT32
