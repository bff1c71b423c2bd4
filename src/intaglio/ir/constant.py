# SPDX-License-Identifier: Apache-2.0
"""Arrays known in advance: weights, biases, multipliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.types import Element, FloatType, TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True, eq=False)
class Constant:
    """A named array known in advance; the data is read-only.

    Raises:
        ModelError: a float is not finite, or an integer lies outside its element type.
    """

    data: np.ndarray
    element: Element

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):  # a float that does not fit becomes infinite: refused
            data = np.ascontiguousarray(self.data, dtype=self.element.dtype)
        if isinstance(self.element, FloatType):
            if not np.isfinite(data).all():
                raise ModelError("a constant must be finite, not NaN or infinite")
        elif not self.element.contains(np.asarray(self.data)):
            low, high = np.min(self.data), np.max(self.data)
            raise ModelError(f"a constant must lie in {self.element}, not range over {low}..{high}")
        data.setflags(write=False)
        object.__setattr__(self, "data", data)

    @classmethod
    def integers(cls, data: np.ndarray) -> Constant:
        """Make a constant of the narrowest integer type that holds the data."""
        low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
        return cls(data, IntType.holding(low, high))

    @property
    def type(self) -> TensorType:
        """The constant's type; its shape is the whole array's."""
        return TensorType(self.data.shape, self.element)
