# SPDX-License-Identifier: Apache-2.0
"""What stands in a network where numbers become few: a module that ends in one `fake_quantize`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from intaglio.errors import QuantizationError
from intaglio.train.quantized.fake_quantize import fake_quantize, in_training

MAX_BITS = 8
#: Floats in which codes of 8 bits would not keep their halves.
_SHORT = (torch.bfloat16, torch.float16)


class Quantizer(nn.Module, ABC):
    """Rounds a tensor to codes low..high; a subclass says by which scale, and what is rounded.

    As a parametrization of a weight it never changes that weight: what an optimizer moves is
    always the full number.
    """

    def __init__(self, low: int, high: int, rounding: str = "half_up") -> None:
        super().__init__()
        self.low, self.high, self.rounding = low, high, rounding

    @abstractmethod
    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scale and zero point for this tensor, without gradients."""

    def learned(
        self,
        x: torch.Tensor,  # noqa: ARG002
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, float]:
        """Return the parameters behind scale and zero point, and what slows their gradients."""
        return None, None, 1.0

    def chosen(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is rounded: the tensor, or values of the grid already chosen for it."""
        return x

    def initialize(self, x: torch.Tensor) -> None:
        """Choose what is learned from a first tensor; nothing, in most kinds."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the tensor on the grid, in 32 bits also where layers compute in fewer."""
        if x.dtype in _SHORT:
            x = x.float()
        scale, zero_point = self.grid(x)
        if not self.training:
            return fake_quantize(
                self.chosen(x), scale, zero_point, self.low, self.high, self.rounding
            )
        *learned, factor = self.learned(x)
        grid = (self.low, self.high, self.rounding)
        return in_training(
            self.chosen(x), (learned[0], learned[1]), (scale, zero_point), grid, factor
        )

    def frozen(self, x: torch.Tensor) -> Grid:
        """Return the grid of this tensor, which nothing changes any more."""
        with torch.no_grad():
            scale, zero_point = self.grid(x)
            return Grid(scale.clone(), zero_point.clone(), self.low, self.high, self.rounding)

    def extra_repr(self) -> str:
        """Describe the codes."""
        return f"{self.low}..{self.high}, {self.rounding}"


class Grid(Quantizer):
    """A grid that stays as it is: the last form of every quantizer, in evaluation one operator.

    Shapes: scale, zero_point [1], or [K, 1, ..] for each output channel.
    """

    scale: torch.Tensor
    zero_point: torch.Tensor

    def __init__(
        self,
        scale: torch.Tensor,
        zero_point: torch.Tensor,
        low: int,
        high: int,
        rounding: str = "half_up",
    ) -> None:
        super().__init__(low, high, rounding)
        self.register_buffer("scale", scale)
        self.register_buffer("zero_point", zero_point)

    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ARG002
        """Return the scale and the zero point."""
        return self.scale, self.zero_point


class _Identity(torch.autograd.Function):
    """A value in place of another one, to which the gradient goes."""

    @staticmethod
    def forward(ctx: Any, latent: torch.Tensor, value: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[torch.Tensor, None]:  # noqa: ARG004
        return gradients[0], None


def straight_through(latent: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return the value exactly, and hand its gradient to `latent`."""
    return _passed(latent, value)


#: torch leaves it without types.
_passed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = _Identity.apply


def nearest_power_of_two(x: torch.Tensor) -> torch.Tensor:
    """Round positive numbers to powers of two, by their logarithm."""
    return torch.exp2(torch.round(torch.log2(x)))


def check_bits(what: str, bits: int, least: int = 1) -> None:
    """Stop where a number of bits is none we have.

    Raises:
        QuantizationError: it is not in least..8.
    """
    if not least <= bits <= MAX_BITS:
        raise QuantizationError(f"{what} must have {least}..{MAX_BITS} bits, not {bits}")


def each_channel(x: torch.Tensor) -> tuple[int, ...]:
    """Return the shape that holds a number for each output channel of a weight."""
    return (x.shape[0], *(1,) * (x.ndim - 1))
