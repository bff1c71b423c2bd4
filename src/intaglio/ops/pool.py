# SPDX-License-Identifier: Apache-2.0
"""What the pooling operators have in common: a window over each channel by itself."""

from __future__ import annotations

from dataclasses import dataclass

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
            ModelError: the window does not fit.
        """
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
