# SPDX-License-Identifier: Apache-2.0
"""Matrix product with a constant matrix, and bias: a dense layer.

    y[k] = bias[k] + sum over c of x[c] * weight[k, c]

Shapes: x (C,), weight [K, C], bias [K]; y (K,). Exact on integers: as wide as the sum needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.unit import Fold, StreamOperator, Unit, divisors, product_folds
from intaglio.hw.window_mac import window_mac
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.types import TensorType
from intaglio.numerics import exact
from intaglio.ops.accumulate import dot_element


@dataclass(frozen=True)
class Matmul(StreamOperator):
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

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Divisors of C and of K, with every kind of products."""
        k, c = types[1].shape
        for lanes_in, lanes_out in product(divisors(c), divisors(k)):
            yield from product_folds(Fold(lanes_in, 1, lanes_out), types[0], types[1])

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """A convolution over an image of one pixel."""
        x, weight = types[0], constants["weight"]
        k, c = weight.data.shape
        pixel = TensorType((1, 1, c), x.element)
        kernel = Constant(weight.data.reshape(k, 1, 1, c), weight.element)
        y = TensorType((1, 1, k), self.infer(*types).element)
        return window_mac(pixel, kernel, constants["bias"], y, (1, 1), fold)
