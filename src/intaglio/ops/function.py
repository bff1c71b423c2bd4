# SPDX-License-Identifier: Apache-2.0
"""A function of one real number, applied to every element of floats.

    y = kind(x)

Shapes: any; y as x. `kind` and its parameters are those of `numerics/functions.py`. Integers have a
`lookup` in its place, which quantisation makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.functions import apply, require_function


@dataclass(frozen=True)
class Function(Operator):
    """Any unary function by name: sigmoid, leaky_relu and the like."""

    name: ClassVar[str] = "function"

    kind: str
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require_function(self.kind, self.parameters)

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of x."""
        (x,) = types
        if x.element != FLOAT32:
            raise ModelError(f"{self.kind} must be given floats, not {x}: quantize makes a lookup")
        return x

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Apply the function in float64; the result has the width of x."""
        (x,) = arrays
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in every other operator
            return apply(self.kind, self.parameters, x).astype(x.dtype)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)
