# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional convolution with bias.

    y[p, q, k] = bias[k] + sum over r, s, c of weight[k, r, s, c]
        * x[p*stride + r*dilation - top, q*stride + s*dilation - left, g*C/groups + c]

where g = k // (K/groups) is the group of channels that output k belongs to.

Shapes: x (H, W, C), weight [K, R, S, C/groups], bias [K]; y (P, Q, K). Outside the image x is
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
from intaglio.hw.window_depthwise import window_depthwise
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
    dilation: Pair = (1, 1)
    groups: int = 1

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, K) with the accumulator's type."""
        x, weight, bias = types
        check_operands(x, weight, bias, self.groups)
        kernel = weight.shape[1], weight.shape[2]
        p, q = output_size(x.shape, kernel, self.stride, self.padding, self.dilation)
        length = weight.size // weight.shape[0]
        padded = Pad(self.padding, self.pad_value).infer(x)
        element = dot_element(padded.element, weight.element, bias.element, length)
        return TensorType((p, q, weight.shape[0]), element)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the convolution of a batch: a matrix product for each group, all at once."""
        x, weight, bias = arrays
        k, r, s, c = weight.shape
        columns = self.columns(x, (r, s))
        n, p, q = (
            len(x),
            *output_size(x.shape[1:], (r, s), self.stride, self.padding, self.dilation),
        )
        kernel = weight.reshape(self.groups, k // self.groups, r * s * c).transpose(0, 2, 1)
        floating = np.issubdtype(x.dtype, np.floating)
        sums = columns @ kernel if floating else exact.matmul(columns, kernel)
        result = sums.transpose(1, 0, 2).reshape(n, p, q, k)
        return result + (bias if floating else bias.astype(np.int64))

    def columns(self, x: np.ndarray, kernel: Pair) -> np.ndarray:
        """Return what each output is a product of, by group.

        Shapes: x [N, H, W, C]; result [groups, N * P * Q, R * S * C/groups].
        """
        view = windows(pad(x, self.padding, self.pad_value), kernel, self.stride, self.dilation)
        n, p, q = view.shape[:3]
        split = view.reshape(n, p, q, *kernel, self.groups, -1).transpose(5, 0, 1, 2, 3, 4, 6)
        return split.reshape(self.groups, n * p * q, -1)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest G K P Q C R S: K outputs and C channels of each of G groups."""
        k, r, s, c = types[1].shape
        p, q, _ = self.infer(*types).shape
        outputs = k // self.groups
        down = (("P", self.stride[0]), ("R", self.dilation[0]))
        across = (("Q", self.stride[1]), ("S", self.dilation[1]))
        output = (("G", outputs), ("K", 1))
        reads = (
            Access("x", (down, across, (("G", c), ("C", 1)))),
            Access("weight", (output, (("R", 1),), (("S", 1),), (("C", 1),))),
        )
        write = Access("output", ((("P", 1),), (("Q", 1),), output))
        sizes = {"G": self.groups, "K": outputs, "P": p, "Q": q, "C": c, "R": r, "S": s}
        return LoopNest(sizes, reads, write, True)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Lanes that divide a group; one kernel column, a whole row or a whole window.

        And each of these with every kind of products.
        """
        x, (_, r, s, _) = types[0], types[1].shape
        width = self.infer(*types).shape[1] if s > 1 else x.shape[1]
        shared = not self._depthwise(types)
        for lanes_in, lanes_out in self._lanes(types):
            for columns in sorted({1, s}):
                yield from product_folds(
                    Fold(lanes_in, columns, lanes_out), types[0], types[1], shared=shared
                )
            if r > 1 and width * (x.channels // lanes_in) >= SHORTEST_STACK:
                whole = Fold(lanes_in, s, lanes_out, whole=True)
                yield from product_folds(whole, types[0], types[1], shared=shared)

    def _lanes(self, types: Sequence[TensorType]) -> Iterator[Pair]:
        """Divisors of a group's channels and outputs; depthwise, of all channels and their outputs.

        Depthwise lanes come out `outputs` for each that comes in.
        """
        k, _, _, c = types[1].shape
        if self._depthwise(types):
            for lanes, outputs in product(divisors(self.groups), divisors(k // self.groups)):
                yield lanes, lanes * outputs
        else:
            yield from product(divisors(c), divisors(k // self.groups))

    def _depthwise(self, types: Sequence[TensorType]) -> bool:
        """Whether every output sees one channel, of several."""
        return self.groups > 1 and types[1].shape[3] == 1

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Slide over an image that is already padded."""
        x, weight, bias = types[0], constants["weight"], constants["bias"]
        unit = window_depthwise if self._depthwise(types) else window_mac
        return unit(x, weight, bias, self.infer(*types), self.stride, fold, self.dilation)

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        """Split padding off: the streaming unit slides over images that are already padded."""
        if not any(self.padding):
            return None
        padded = Step("padded", Pad(self.padding, self.pad_value), ("x",))
        core = replace(self, padding=(0, 0, 0, 0), pad_value=0)
        return padded, Step("conv", core, ("padded", "weight", "bias"))


def check_operands(x: TensorType, weight: TensorType, bias: TensorType, groups: int) -> None:
    """Check that kernels see a group's channels and that each output has a bias.

    Raises:
        ModelError: they do not.
    """
    if groups < 1:
        raise ModelError(f"groups must be at least 1, not {groups}")
    channels = groups * weight.shape[3] if len(weight.shape) == 4 else 0
    if len(x.shape) != 3 or channels != x.shape[2]:
        shape = "C" if groups == 1 else f"C/{groups}"
        raise ModelError(f"weight must be [K, R, S, {shape}] for x {x}, not {weight}")
    if weight.shape[0] % groups:
        raise ModelError(f"groups must divide {weight.shape[0]} outputs, not be {groups}")
    if bias.shape != weight.shape[:1]:
        raise ModelError(f"bias must be [{weight.shape[0]}], not {bias}")
