# SPDX-License-Identifier: Apache-2.0
"""Weights and biases of one layer as integers.

Weights are symmetric with zero point 0, so that the hardware multiplies codes and nothing else. The
input's zero point then only adds a constant to each channel, which is put into the bias:

    sum (x - z) w + b  =  sum x w  +  (b - z sum w)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.numerics.rounding import round_half_up, saturate
from intaglio.numerics.types import IntType
from intaglio.quantize.quantizer import Coding, Quantizer

#: A channel's scale is at least this part of its layer's largest. All channels share one shift, so
#: this leaves each multiplier 8 significant bits of 16, as exact as 8-bit weights themselves; and
#: the step of the smallest channel still is 256 times finer than one scale a tensor would make it.
SMALLEST_CHANNEL = 2.0**-8

#: Biases and accumulator constants of every supported runtime and memory image are this wide.
BIAS_BITS = 32


@dataclass(frozen=True, eq=False)
class Layer:
    """The integers of a layer and the real scale of its accumulator, for each channel or for all.

    Shapes: weight as the float one, bias [K], scale [K] or [1].
    """

    weight: Constant
    bias: Constant
    scale: np.ndarray


def weight_scales(
    weight: np.ndarray, element: IntType, quantizer: Quantizer, *, per_channel: bool, spare: float
) -> np.ndarray:
    """Choose the scales of a layer's weights; `spare` is the scale of a layer of zeros.

    Shapes: weight [K, ...]; result [K] or [1].
    """
    magnitudes = np.abs(weight.astype(np.float64)).reshape(len(weight), -1).max(axis=1)
    if not per_channel:
        magnitudes = magnitudes.max(keepdims=True)
    largest = magnitudes.max()
    if largest == 0.0:
        return np.full(len(magnitudes), spare)
    magnitudes = np.where(magnitudes == 0.0, largest, magnitudes)
    magnitudes = np.maximum(magnitudes, largest * SMALLEST_CHANNEL)
    return np.array([quantizer.symmetric(float(m), element) for m in magnitudes])


def integer_layer(
    node: Node,
    weight: np.ndarray,
    bias: np.ndarray,
    scales: np.ndarray,
    element: IntType,
    source: Coding,
) -> Layer:
    """Turn a layer's constants into integers at given weight scales.

    Raises:
        QuantizationError: a bias needs more than 32 bits.
    """
    columns = scales.reshape(-1, *[1] * (weight.ndim - 1))
    codes = saturate(round_half_up(weight / columns), element).astype(np.int64)
    step = source.scale * scales
    sums = codes.reshape(len(codes), -1).sum(axis=1)
    real = np.floor(bias.astype(np.float64) / step + 0.5) - source.zero_point * sums
    limit = 2.0 ** (BIAS_BITS - 1)
    bad = ~((real >= -limit) & (real < limit))
    if bad.any():
        k = int(bad.argmax())
        raise QuantizationError(
            f"{node}: the bias of channel {k} must fit {BIAS_BITS} bits at the accumulator's step "
            f"{np.broadcast_to(step, real.shape)[k]:.3g}, not be {bias[k]:.6g} ({real[k]:.0f} "
            "steps): its weights or inputs are too small beside it; if nothing depends on them, "
            "set the weights to zero"
        )
    return Layer(Constant(codes, element), Constant.integers(real.astype(np.int64)), step)
