# SPDX-License-Identifier: Apache-2.0
"""A quantizer as a staircase: at which real numbers its code goes up by one.

Whatever a quantizer is made of (a scale, a rounding, a sign, thresholds), it is a monotone function
of one real number with a few integer values, so its thresholds say all of it. A rectifier or clip
in front only takes thresholds out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.numerics.rounding import Rounding
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.function import Function
from intaglio.ops.multi_threshold import MultiThreshold


@dataclass(frozen=True, eq=False)
class Steps:
    """The code is `lowest` plus the number of thresholds reached; its meaning is affine.

    `inclusive` tells whether a number that equals the threshold has reached it.

    Shapes: thresholds [C, T] or [1, T], ascending, perhaps infinite; inclusive [T];
    scale and offset [C] or [1]: real = scale * code + offset.
    """

    thresholds: np.ndarray
    inclusive: np.ndarray
    lowest: int
    scale: np.ndarray
    offset: np.ndarray

    @property
    def highest(self) -> int:
        """The code beyond the last threshold."""
        return self.lowest + self.thresholds.shape[1]

    def reached(self, real: np.ndarray) -> np.ndarray:
        """Tell which thresholds numbers reach. Shapes: real [C or 1, T or 1]; result [C, T]."""
        return np.where(self.inclusive, real >= self.thresholds, real > self.thresholds)

    def clipped(self, low: np.ndarray, high: np.ndarray) -> Steps:
        """Return the staircase of a number that is clipped first. Shapes: bounds [C] or [1]."""
        floor, ceiling = low[:, None], high[:, None]
        always = self.reached(floor)
        never = ~self.reached(ceiling)
        bounds = np.broadcast_to(self.thresholds, always.shape)
        return replace(self, thresholds=np.where(always, -np.inf, np.where(never, np.inf, bounds)))


def steps_of(node: Node, constants: Mapping[str, Constant]) -> Steps | None:
    """Return the staircase of a node that is a quantizer, or None."""
    match node.op:
        case FakeQuantize():
            return _uniform(node.op)
        case MultiThreshold():
            return _counted(node.op, constants[node.inputs[1]].data)
        case Function(kind="sign"):
            return Steps(np.zeros((1, 2)), np.array([True, False]), -1, np.ones(1), np.zeros(1))
        case _:
            return None


def _uniform(op: FakeQuantize) -> Steps:
    scale = np.asarray(op.scale, dtype=np.float32).astype(np.float64)
    codes = np.arange(op.low + 1, op.high + 1)
    units = codes - op.zero_point
    places, inclusive = _rises(codes if op.offset_first else units, units, op.rounding)
    return Steps(scale[:, None] * places, inclusive, op.low, scale, -scale * float(op.zero_point))


def _rises(
    rounded: np.ndarray, units: np.ndarray, rounding: Rounding
) -> tuple[np.ndarray, np.ndarray]:
    """Return where, in steps, rounding first gives each integer, and whether that place does.

    `rounded` are the integers that rounding gives, `units` the same without a zero point.
    """
    yes, positive = np.ones(len(units), dtype=bool), rounded > 0
    match rounding:
        case Rounding.HALF_UP:
            return units - 0.5, yes
        case Rounding.HALF_EVEN:
            return units - 0.5, rounded % 2 == 0
        case Rounding.HALF_AWAY:
            return units - 0.5, positive
        case Rounding.HALF_TOWARD_ZERO:
            return units - 0.5, ~positive
        case Rounding.FLOOR:
            return units.astype(np.float64), yes
        case Rounding.CEIL:
            return units - 1.0, ~yes
        case Rounding.AWAY:
            return np.where(positive, units - 1.0, units), ~positive
        case Rounding.TOWARD_ZERO:
            return np.where(positive, units, units - 1.0), positive


def _counted(op: MultiThreshold, thresholds: np.ndarray) -> Steps:
    """Codes count thresholds; where the real numbers are one step around zero, codes are too."""
    bounds = thresholds.astype(np.float64)
    scale, offset = np.array([op.scale]), np.array([op.offset])
    return Steps(bounds, np.ones(bounds.shape[1], dtype=bool), 0, scale, offset)
