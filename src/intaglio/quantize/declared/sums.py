# SPDX-License-Identifier: Apache-2.0
"""Sums of two values whose integers have scales of their own.

Where the scales are small multiples of a common one, the sum is exact at that. Otherwise only its
quantizer's codes can be: multipliers are widened until all pairs of operand codes get the code of
their real sum, which is tried for every pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.quantize.declared.carrier import Carrier
from intaglio.quantize.declared.sources import Made
from intaglio.quantize.declared.steps import Steps

if TYPE_CHECKING:
    from intaglio.quantize.declared.lowering import Lowering

#: Factors of a common scale; beyond, a quotient of two scales is taken as none.
MOST = 256
_CLOSE = 2.0**-22
#: All pairs of codes are tried where there are no more than of two bytes.
MAX_PAIRS = 1 << 16
MAX_SHIFT = 28


@dataclass(frozen=True, eq=False)
class Sum:
    """Two values to be added; `scales` are theirs. The carrier's offset has theirs in it."""

    node: Node
    operands: tuple[Made, Made]
    scales: tuple[float, float]

    @classmethod
    def of(cls, node: Node, operands: tuple[Carrier, ...]) -> Sum:
        """Describe the sum of two settled values with one scale each."""
        left, right = operands
        if not isinstance(left.source, Made) or not isinstance(right.source, Made):
            raise TypeError(operands)
        scales = float(left.scale[0]), float(right.scale[0])
        return cls(node, (left.source, right.source), scales)

    @property
    def element(self) -> IntType:
        """The type of the plain sum of codes."""
        x, y = (operand.element for operand in self.operands)
        return IntType.holding(x.min + y.min, x.max + y.max)

    def common(self) -> tuple[float, tuple[int, int]] | None:
        """Return a scale that both are small multiples of, and the multiples."""
        left, right = self.scales
        ratio = Fraction(left / right).limit_denominator(MOST)
        p, q = ratio.numerator, ratio.denominator
        if not 0 < p <= MOST or abs(left * q - right * p) > _CLOSE * left * q:
            return None
        return left / p, (p, q)

    def emit(self, lowering: Lowering, factors: tuple[int, int], addend: int = 0) -> Made:
        """Add the weighted sum of codes, and a number."""
        names = []
        for side, operand, factor in zip(
            self.node.op.operands, self.operands, factors, strict=True
        ):
            if factor == 1 and addend == 0:
                names.append(operand.name)
                continue
            ends = [
                addend,
                *(factor * end + addend for end in (operand.element.min, operand.element.max)),
            ]
            element = IntType.holding(min(ends), max(ends))
            name = f"{self.node.name}.{side}"
            scaled = lowering.multiply(name, operand, np.array([factor]), 0, addend, element)
            names.append(scaled.name)
            addend = 0
        return lowering.emit(
            Node(f"{self.node.name}.acc", self.node.op, tuple(names), self.node.origin)
        )


def settle_sum(lowering: Lowering, carrier: Carrier, source: Sum) -> Carrier | None:
    """Return the sum as a value of the program, where its operands have a common scale."""
    found = source.common()
    if found is None:
        return None
    scale, factors = found
    made = source.emit(lowering, factors)
    return Carrier(made, carrier.scale * scale, carrier.offset, carrier.low, carrier.high)


def quantize_sum(
    lowering: Lowering, node: Node, carrier: Carrier, source: Sum, steps: Steps
) -> Carrier:
    """Add what gives each pair of codes the code of its real sum.

    Raises:
        QuantizationError: there are too many pairs to try, or channels differ.
    """
    x, y = (np.arange(o.element.min, o.element.max + 1) for o in source.operands)
    if len(x) * len(y) > MAX_PAIRS or not carrier.uniform or steps.thresholds.shape[0] != 1:
        raise QuantizationError(
            f"{node} must read the sum of two values of one scale, or of 8 bits each: "
            "give both operands of the sum one quantizer"
        )
    left, right = (carrier.scale[0] * scale for scale in source.scales)
    real = (left * x[:, None] + right * y[None, :]).reshape(-1) + carrier.offset[0]
    bounded = steps.clipped(carrier.low, carrier.high)
    level = _levels(bounded, real)
    found = _factors(level, x, y, (left / steps.scale[0], right / steps.scale[0]))
    if found is None:
        raise QuantizationError(f"{node} must read a sum that {MAX_SHIFT} bits are enough for")
    factors, addend, shift = found
    total = source.emit(lowering, factors, addend - ((1 << shift) >> 1))
    element = IntType.holding(steps.lowest, steps.highest)
    one = np.ones(1, dtype=np.int64)
    made = lowering.multiply(node.name, total, one, shift, steps.lowest, element)
    return Carrier.of(made, steps.scale, steps.offset)


def _levels(steps: Steps, real: np.ndarray) -> np.ndarray:
    """Return how many thresholds each number reaches."""
    count = np.zeros(len(real), dtype=np.int64)
    for place, inclusive in zip(steps.thresholds[0], steps.inclusive, strict=True):
        count += (real >= place) if inclusive else (real > place)
    return count


def _factors(
    level: np.ndarray, x: np.ndarray, y: np.ndarray, slopes: tuple[float, float]
) -> tuple[tuple[int, int], int, int] | None:
    """Return factors, addend and the least shift that give every pair its level."""
    most = int(level.max())
    for shift in range(MAX_SHIFT + 1):
        a, b = (round(slope * 2.0**shift) for slope in slopes)
        if a < 1 or b < 1:
            continue
        total = (a * x[:, None] + b * y[None, :]).reshape(-1)
        above, below = level > 0, level < most
        low = ((level << shift) - total)[above].max(initial=-(1 << 62))
        high = (((level + 1) << shift) - 1 - total)[below].min(initial=1 << 62)
        if low <= high:
            return (a, b), int(low if above.any() else min(high, 0)), shift
    return None
