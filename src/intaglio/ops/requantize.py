# SPDX-License-Identifier: Apache-2.0
"""An accumulator on a new, coarser scale: integers only.

    y = saturate(zero_point + round((x * multiplier[c]) / 2^shift))

Shapes: x (..., C), multiplier [C] or [1]; y as x, of `element`. One shift for the whole tensor.
Rounding is half up unless a compatibility profile says otherwise. Power-of-two scales have
multiplier 1. A rectifier costs nothing here: an unsigned element saturates at zero.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, section 2.2; one shift a layer is our choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.scale_shift import scale_shift
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType
from intaglio.numerics.rounding import Rounding, round_shift, saturate
from intaglio.numerics.types import IntType

#: Products must stay exact in int64, with a bit to spare for the rounding half.
PRODUCT_BITS = 62


@dataclass(frozen=True)
class Requantize(StreamOperator):
    """Multiply, shift, round, move to the zero point, saturate."""

    name: ClassVar[str] = "requantize"
    operands: ClassVar[tuple[str, ...]] = ("x", "multiplier")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"multiplier"})

    shift: int
    zero_point: int
    element: IntType
    rounding: Rounding = Rounding.HALF_UP

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of `element`."""
        x, multiplier = types
        check_scaling(self, x, {"multiplier": multiplier})
        if multiplier.integer.signed:
            raise ModelError(f"multiplier must be unsigned, not {multiplier}")
        return TensorType(x.shape, self.element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Requantize a batch."""
        x, multiplier = arrays
        product = x.astype(np.int64) * multiplier.astype(np.int64)
        return saturate(
            round_shift(product, self.shift, self.rounding) + self.zero_point, self.element
        )

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once; its products are not the network's MACs."""
        return elementwise(types[0].shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Multiply, shift and saturate; only half up is built."""
        if self.rounding is not Rounding.HALF_UP:
            raise ModelError(f"rounding must be half_up in hardware, not {self.rounding.value}")
        y, multiplier = self.infer(*types), constants["multiplier"]
        return scale_shift(types[0], multiplier, y, self.shift, self.zero_point, fold.lanes_in)


class Scaling(Protocol):
    """What every requantize has."""

    @property
    def shift(self) -> int:
        """Bits that are shifted out."""
        ...

    @property
    def zero_point(self) -> int:
        """The code of zero."""
        ...

    @property
    def element(self) -> IntType:
        """The type of the result."""
        ...


def check_scaling(op: Scaling, x: TensorType, operands: Mapping[str, TensorType]) -> None:
    """Check a requantize whose operands have a number for all channels, or one for each.

    Raises:
        ModelError: a number is out of its range, or a product could leave int64.
    """
    for name, operand in operands.items():
        if operand.shape not in ((1,), (x.channels,)):
            raise ModelError(f"{name} must be [1] or [{x.channels}], not {operand}")
    if not 0 <= op.shift <= PRODUCT_BITS:
        raise ModelError(f"shift must be 0..{PRODUCT_BITS}, not {op.shift}")
    if not op.element.min <= op.zero_point <= op.element.max:
        raise ModelError(f"zero_point must lie in {op.element}, not {op.zero_point}")
    multiplier = operands["multiplier"]
    if x.integer.width + multiplier.integer.width > PRODUCT_BITS:
        raise ModelError(f"x times multiplier must fit {PRODUCT_BITS} bits, not {x}*{multiplier}")
