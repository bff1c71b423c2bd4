# SPDX-License-Identifier: Apache-2.0
"""What a value is made of: the shape of one frame, the type of an element, its real meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from intaglio.errors import ModelError
from intaglio.numerics.types import IntType


@dataclass(frozen=True, slots=True)
class FloatType:
    """A floating-point element; only 32 bits occur."""

    width: int = 32

    def __str__(self) -> str:
        return f"f{self.width}"

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The machine type of arrays with this element."""
        return np.dtype(np.float32)


FLOAT32 = FloatType()
Element = IntType | FloatType


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of one frame of a value, channels last; the batch axis is never part of it.

    Shapes: an image is (H, W, C), a vector (C,). Arrays handed to operators carry a leading batch
    axis for activations and none for constants.
    """

    shape: tuple[int, ...]
    element: Element

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.shape):
            raise ModelError(f"every dimension must be at least 1, not {list(self.shape)}")

    def __str__(self) -> str:
        return f"{self.element}[{','.join(map(str, self.shape))}]"

    @property
    def size(self) -> int:
        """Elements in a frame."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """Size of the last axis: the one that streams fastest."""
        return self.shape[-1] if self.shape else 1

    @property
    def integer(self) -> IntType:
        """The element as an integer type.

        Raises:
            ModelError: it is a float.
        """
        if isinstance(self.element, IntType):
            return self.element
        raise ModelError(f"the element must be an integer, not {self.element}")


@dataclass(frozen=True, slots=True)
class Quantization:
    """The real meaning of integers: `real = scale * (q - zero_point)`.

    Shapes: `scale` holds one number for the tensor, or one for each element of the last axis.
    """

    scale: tuple[float, ...]
    zero_point: int = 0

    def __post_init__(self) -> None:
        if not self.scale or not all(math.isfinite(s) and s > 0 for s in self.scale):
            raise ModelError(f"a scale must be finite and positive, not {self.scale}")

    def divided(self, factors: np.ndarray) -> Quantization:
        """Return the meaning of values that are larger by a factor for each channel."""
        scales = np.asarray(self.scale) / factors
        return Quantization(tuple(scales.tolist()), self.zero_point)

    def dequantize(self, values: np.ndarray) -> np.ndarray:
        """Return the real numbers that integers stand for, as float64."""
        return (values.astype(np.float64) - self.zero_point) * np.asarray(self.scale)
