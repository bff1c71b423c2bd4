# SPDX-License-Identifier: Apache-2.0
"""What the integers of a carrier come from: a value of the program, a layer or sum still to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.numerics.types import IntType

if TYPE_CHECKING:
    from intaglio.quantize.declared.lowering import Lowering


@dataclass(frozen=True)
class Made:
    """A value the program has already."""

    name: str
    element: IntType


@dataclass(frozen=True)
class Entrance:
    """The network's input: real numbers, until its quantizer is met."""

    name: str
    element: IntType


@dataclass(frozen=True, eq=False)
class Layer:
    """Weighted sums of one value's integers, without their bias.

    Shapes: codes [K, ...]. `element` holds the sums at the extremes of the operand's type.
    """

    node: Node
    op: Operator
    operand: Made
    codes: np.ndarray
    element: IntType

    def emit(
        self, lowering: Lowering, bias: np.ndarray, flipped: np.ndarray, value: str = ""
    ) -> Made:
        """Add the layer with a bias, the channels that are `flipped` with their sums negated.

        It is named after the float value that the sums stand for, where that is not its own.
        """
        signs = np.where(flipped, -1, 1)
        codes = self.codes * signs.reshape(-1, *[1] * (self.codes.ndim - 1))
        name = value if value not in ("", self.node.name) else f"{self.node.name}.acc"
        operands = (
            self.operand.name,
            lowering.constant(f"{self.node.name}.weight", Constant(codes, code_type(codes))),
            lowering.constant(f"{self.node.name}.bias", Constant.integers(bias)),
        )
        return lowering.emit(Node(name, self.op, operands, self.node.origin))


def layer(node: Node, op: Operator, operand: Made, codes: np.ndarray, extra: int = 0) -> Layer:
    """Describe a layer; `extra` is a code that it pads with."""
    low, high = min(operand.element.min, extra), max(operand.element.max, extra)
    rows = codes.reshape(len(codes), -1)
    up, down = np.maximum(rows, 0).sum(axis=1), np.minimum(rows, 0).sum(axis=1)
    least, most = up * low + down * high, up * high + down * low
    # Both signs, as channels may be flipped.
    reach = max(int(np.abs(least).max()), int(np.abs(most).max()))
    return Layer(node, op, operand, codes, IntType.holding(-reach, reach))


def code_type(codes: np.ndarray) -> IntType:
    """Return the narrowest signed type of some weights."""
    return code_range(min(int(codes.min()), -1), int(codes.max()))


def code_range(low: int, high: int) -> IntType:
    """Return the narrowest type of some codes, without its lowest one where that is not needed."""
    found = IntType.holding(low, high)
    return replace(found, narrow=True) if found.signed and found.min < low else found
