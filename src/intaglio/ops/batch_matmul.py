# SPDX-License-Identifier: Apache-2.0
"""Product of two matrices, both activations; leading axes are a batch of such products.

    z[..., m, n] = sum over k of x[..., m, k] * y[..., k, n]

Shapes: x (..., M, K), y (..., K, N), the leading axes equal; z (..., M, N). Exact on integers: as
wide as the sum needs. The codes of both must have zero point 0; the quantiser sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.stream_matmul import stream_matmul
from intaglio.hw.unit import Fold, StreamOperator, Unit, divisors
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, Index, LoopNest
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics import exact
from intaglio.numerics.types import IntType
from intaglio.ops.accumulate import product_element


@dataclass(frozen=True)
class BatchMatmul(StreamOperator):
    """Matrix product of activations."""

    name: ClassVar[str] = "batch_matmul"
    operands: ClassVar[tuple[str, ...]] = ("x", "y")

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (..., M, N) with the accumulator's type."""
        x, y = types
        if len(x.shape) < 2 or x.shape[:-2] != y.shape[:-2] or x.shape[-1:] != y.shape[-2:-1]:
            raise ModelError(f"operands must be [..., M, K] and [..., K, N], not {x} and {y}")
        shape = (*x.shape[:-1], y.shape[-1])
        a, b = x.element, y.element
        if isinstance(a, IntType) and isinstance(b, IntType):
            return TensorType(shape, product_element(a, b, x.shape[-1]))
        if a != b:
            raise ModelError(f"operands must both be integers or both floats, not {x} and {y}")
        return TensorType(shape, FLOAT32)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Multiply each pair of matrices of two batches."""
        x, y = arrays
        if np.issubdtype(x.dtype, np.floating):
            return x @ y
        return exact.matmul(x, y)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest B0 B1 ... M N K."""
        x, y = types
        leading: tuple[Index, ...] = tuple(((f"B{i}", 1),) for i in range(len(x.shape) - 2))
        sizes = {f"B{i}": size for i, size in enumerate(x.shape[:-2])}
        m, n, k = ((("M", 1),), (("N", 1),), (("K", 1),))
        reads = (Access("x", (*leading, m, k)), Access("y", (*leading, k, n)))
        sizes |= {"M": x.shape[-2], "N": y.shape[-1], "K": x.shape[-1]}
        return LoopNest(sizes, reads, Access("output", (*leading, m, n)), True)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Divisors of K and of N."""
        for lanes_in, lanes_out in product(
            divisors(types[0].channels), divisors(types[1].channels)
        ):
            yield Fold(lanes_in, 1, lanes_out)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Store the matrices y; multiply the rows of x as they come."""
        return stream_matmul(types[0], types[1], self.infer(*types), fold)
