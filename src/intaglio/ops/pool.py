# SPDX-License-Identifier: Apache-2.0
"""What the pooling operators have in common: a window over each channel by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from intaglio.errors import ModelError
from intaglio.hw.unit import Fold, StreamOperator, lane_folds
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.ops.windows import Padding, Pair, output_size


@dataclass(frozen=True)
class Pool(Operator):
    """A window that moves over each channel by itself; subclasses say how it reduces."""

    kernel: Pair
    stride: Pair
    padding: Padding = (0, 0, 0, 0)

    def output_shape(self, x: TensorType) -> tuple[int, ...]:
        """Return (P, Q, C).

        Raises:
            ModelError: the window does not fit, or some window would see nothing but padding.
        """
        if max(self.padding[0::2]) >= self.kernel[0] or max(self.padding[1::2]) >= self.kernel[1]:
            raise ModelError(
                f"padding must be smaller than the {self.kernel[0]}x{self.kernel[1]} window, "
                f"not {self.padding}"
            )
        return (*output_size(x.shape, self.kernel, self.stride, self.padding), x.channels)

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest P Q C R S."""
        p, q, c = self.output_shape(types[0])
        down = (("P", self.stride[0]), ("R", 1))
        across = (("Q", self.stride[1]), ("S", 1))
        write = Access("output", ((("P", 1),), (("Q", 1),), (("C", 1),)))
        r, s = self.kernel
        nest = {"P": p, "Q": q, "C": c, "R": r, "S": s}
        return LoopNest(nest, (Access("x", (down, across, (("C", 1),))),), write)


@dataclass(frozen=True)
class StreamPool(Pool, StreamOperator):
    """A pooling that has hardware."""

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def whole(self, x: TensorType) -> bool:
        """Tell whether the one window is all of an image."""
        return self.kernel == x.shape[:2] and not any(self.padding)
