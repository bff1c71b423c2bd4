# SPDX-License-Identifier: Apache-2.0
"""Scales that are learned with the weights: LSQ, and LSQ+ with a learned zero point.

LSQ starts at `2 mean|x| / sqrt(high)`. LSQ+ starts weights at `max(|mean - 3 std|, |mean + 3 std|)
/ 2^(bits - 1)`, and activations at their minimum and maximum. The gradient of both parameters is
divided by `sqrt(N high)`, N the weights of the layer, or the numbers of one image.

Source: Esser et al., "Learned Step Size Quantization", ICLR 2020, sections 2.1 and 2.2; Bhalgat et
al., "LSQ+", CVPR workshops 2020, sections 3.1 and 3.2.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from intaglio.errors import QuantizationError
from intaglio.train.quantized.quantizer import (
    Quantizer,
    check_bits,
    each_channel,
    nearest_power_of_two,
)

#: No scale gets smaller: a code would stand for nothing.
LEAST_SCALE = 2.0**-24


class LearnedScale(Quantizer):
    """LSQ: one learned scale, or one for each output channel; the zero point stays 0.

    Args:
        low: the least code.
        high: the greatest code.
        weight: the weight it is for, which decides its start; None for activations, which
            start from the first tensor given to `initialize`.
        channels: for weights, a scale for each output channel.
        power_of_two: use the nearest power of two of the scale that is learned.
        plus: start as LSQ+ does, and learn the zero point of activations.
    """

    def __init__(
        self,
        low: int,
        high: int,
        *,
        weight: torch.Tensor | None = None,
        channels: bool = False,
        power_of_two: bool = False,
        plus: bool = False,
    ) -> None:
        super().__init__(low, high)
        self.power_of_two, self.plus, self.of_weight = power_of_two, plus, weight is not None
        shape = each_channel(weight) if channels and weight is not None else (1,)
        self.scale = nn.Parameter(torch.ones(shape))
        self.zero_point = nn.Parameter(torch.zeros(1), requires_grad=plus and not self.of_weight)
        if weight is not None:
            self.initialize(weight)

    def initialize(self, x: torch.Tensor) -> None:
        """Start the scale from a tensor.

        Raises:
            QuantizationError: the tensor is empty or not finite.
        """
        x = x.detach()
        if not x.numel() or not bool(torch.isfinite(x).all()):
            raise QuantizationError("values to start a scale from must be finite, and some")
        with torch.no_grad():
            rows = x.reshape(self.scale.numel(), -1)
            start = self._plus(rows) if self.plus else self._plain(rows)
            self.scale.copy_(start.clamp(min=LEAST_SCALE).reshape(self.scale.shape))

    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ARG002
        """Return what is used for the learned scale and zero point."""
        scale = self.scale.detach().clamp(min=LEAST_SCALE)
        zero = self.zero_point.detach()
        return (
            nearest_power_of_two(scale) if self.power_of_two else scale,
            torch.round(zero) if self.plus else zero,
        )

    def learned(self, x: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, float]:
        """Return scale and zero point, and the factor of LSQ."""
        numbers = x.numel() / self.scale.numel() if self.of_weight else x[0].numel()
        factor = 1 / math.sqrt(max(1.0, numbers) * max(1, self.high))
        return self.scale, self.zero_point if self.plus else None, factor

    def _plain(self, rows: torch.Tensor) -> torch.Tensor:
        return 2 * rows.abs().mean(1) / math.sqrt(max(1, self.high))

    def _plus(self, rows: torch.Tensor) -> torch.Tensor:
        if self.of_weight:
            mean, spread = rows.mean(1), 3 * rows.std(1, correction=0)
            return torch.maximum((mean - spread).abs(), (mean + spread).abs()) / -self.low
        least, most = rows.min(), rows.max()
        scale = ((most - least) / (self.high - self.low)).clamp(min=LEAST_SCALE)
        self.zero_point.copy_((self.low - least / scale).round().reshape(1))
        return scale.reshape(1)


def learned_activations(
    bits: int, *, signed: bool = False, power_of_two: bool = False, plus: bool = False
) -> LearnedScale:
    """Return a learned grid of activations.

    Raises:
        QuantizationError: bits are not 1..8, or 2..8 where the numbers have a sign.
    """
    check_bits("activations with a sign" if signed else "activations", bits, 2 if signed else 1)
    low, high = ends(bits, signed)
    return LearnedScale(low, high, power_of_two=power_of_two, plus=plus)


def learned_weights(
    weight: torch.Tensor,
    bits: int,
    *,
    channels: bool = False,
    power_of_two: bool = False,
    plus: bool = False,
) -> LearnedScale:
    """Return a learned grid of weights.

    Raises:
        QuantizationError: bits are not 2..8.
    """
    check_bits("weights of a learned scale", bits, 2)
    low, high = ends(bits, signed=True)
    return LearnedScale(
        low, high, weight=weight, channels=channels, power_of_two=power_of_two, plus=plus
    )


def ends(bits: int, signed: bool) -> tuple[int, int]:
    """Return the least and the greatest code of so many bits."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
