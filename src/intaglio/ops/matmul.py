# SPDX-License-Identifier: Apache-2.0
"""Matrix product with a constant matrix, and bias: a dense layer.

    y[k] = bias[k] + sum over c of x[c] * weight[k, c]

Shapes: x (C,), weight [K, C], bias [K]; y (K,). Exact on integers: as wide as the sum needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.numerics import exact
from intaglio.ops.accumulate import dot_element


@dataclass(frozen=True)
class Matmul(Operator):
    """Dense layer over vectors."""

    name: ClassVar[str] = "matmul"
    operands: ClassVar[tuple[str, ...]] = ("x", "weight", "bias")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"weight", "bias"})

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (K,) with the accumulator's type."""
        x, weight, bias = types
        if len(x.shape) != 1 or len(weight.shape) != 2 or weight.shape[1] != x.shape[0]:
            raise ModelError(f"weight must be [K, C] for a vector x, not {weight} for {x}")
        if bias.shape != weight.shape[:1]:
            raise ModelError(f"bias must be [{weight.shape[0]}], not {bias}")
        element = dot_element(x.element, weight.element, bias.element, weight.shape[1])
        return TensorType((weight.shape[0],), element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the product for a batch."""
        x, weight, bias = arrays
        if np.issubdtype(x.dtype, np.floating):
            return x @ weight.T + bias
        return exact.matmul(x, weight.T) + bias.astype(np.int64)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest K C."""
        k, c = types[1].shape
        reads = (Access("x", ((("C", 1),),)), Access("weight", ((("K", 1),), (("C", 1),))))
        return LoopNest({"K": k, "C": c}, reads, Access("output", ((("K", 1),),)), True)
