# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional convolution with bias.

    y[p, q, k] = bias[k] + sum over r, s, c of x[p*stride + r - top, q*stride + s - left, c]
                                             * weight[k, r, s, c]

Shapes: x (H, W, C), weight [K, R, S, C], bias [K]; y (P, Q, K). Outside the image x is
`pad_value`: the zero point of x. Exact on integers: the result is as wide as the sum needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.unit import Fold, StreamOperator, Unit, divisors, product_folds
from intaglio.hw.window_mac import SHORTEST_STACK, window_mac
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.operator import Step
from intaglio.ir.types import TensorType
from intaglio.numerics import exact
from intaglio.ops.accumulate import dot_element
from intaglio.ops.pad import Pad
from intaglio.ops.windows import Padding, Pair, output_size, pad, windows


@dataclass(frozen=True)
class Conv2d(StreamOperator):
    """Convolution over channels-last images."""

    name: ClassVar[str] = "conv2d"
    operands: ClassVar[tuple[str, ...]] = ("x", "weight", "bias")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"weight", "bias"})

    stride: Pair = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    pad_value: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, K) with the accumulator's type."""
        x, weight, bias = types
        if len(weight.shape) != 4 or len(x.shape) != 3 or weight.shape[3] != x.shape[2]:
            raise ModelError(f"weight must be [K, R, S, C] for x {x}, not {weight}")
        if bias.shape != weight.shape[:1]:
            raise ModelError(f"bias must be [{weight.shape[0]}], not {bias}")
        p, q = output_size(x.shape, weight.shape[1:3], self.stride, self.padding)
        length = weight.size // weight.shape[0]
        padded = Pad(self.padding, self.pad_value).infer(x)
        element = dot_element(padded.element, weight.element, bias.element, length)
        return TensorType((p, q, weight.shape[0]), element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the convolution of a batch."""
        x, weight, bias = arrays
        padded = pad(x, self.padding, self.pad_value)
        view = windows(padded, (weight.shape[1], weight.shape[2]), self.stride)
        columns = view.reshape(*view.shape[:3], -1)
        kernel = weight.reshape(weight.shape[0], -1).T
        if np.issubdtype(x.dtype, np.floating):
            return columns @ kernel + bias
        return exact.matmul(columns, kernel) + bias.astype(np.int64)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest K P Q C R S."""
        k, r, s, c = types[1].shape
        p, q, _ = self.infer(*types).shape
        down, across = (("P", self.stride[0]), ("R", 1)), (("Q", self.stride[1]), ("S", 1))
        reads = (
            Access("x", (down, across, (("C", 1),))),
            Access("weight", ((("K", 1),), (("R", 1),), (("S", 1),), (("C", 1),))),
        )
        write = Access("output", ((("P", 1),), (("Q", 1),), (("K", 1),)))
        return LoopNest({"K": k, "P": p, "Q": q, "C": c, "R": r, "S": s}, reads, write, True)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Divisors of C; one kernel column, a whole row or a whole window; divisors of K.

        And each of these with every kind of products.
        """
        k, r, s, c = types[1].shape
        width = self.infer(*types).shape[1] if s > 1 else types[0].shape[1]
        for lanes_in, lanes_out in product(divisors(c), divisors(k)):
            for columns in sorted({1, s}):
                yield from product_folds(Fold(lanes_in, columns, lanes_out), *types[:2])
            if r > 1 and width * (c // lanes_in) >= SHORTEST_STACK:
                whole = Fold(lanes_in, s, lanes_out, whole=True)
                yield from product_folds(whole, *types[:2])

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Slide over an image that is already padded."""
        y = self.infer(*types)
        return window_mac(types[0], constants["weight"], constants["bias"], y, self.stride, fold)

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        """Split padding off: the streaming unit slides over images that are already padded."""
        if not any(self.padding):
            return None
        padded = Step("padded", Pad(self.padding, self.pad_value), ("x",))
        core = replace(self, padding=(0, 0, 0, 0), pad_value=0)
        return padded, Step("conv", core, ("padded", "weight", "bias"))
