# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.matmul import Matmul
from intaglio.quantize.affine import AFFINE
from intaglio.quantize.power_of_two import POWER_OF_TWO
from intaglio.quantize.quantizer import Coding, Quantizer
from intaglio.quantize.weights import SMALLEST_CHANNEL, integer_layer, weight_scales
from tests.quantize.networks import normal

S8N, U8 = IntType.parse("s8n"), IntType.parse("u8")
NODE = Node("f", Matmul(), ("x", "w", "b"))


@pytest.mark.parametrize("quantizer", [AFFINE, POWER_OF_TWO])
@pytest.mark.parametrize("per_channel", [True, False])
@given(seed=st.integers(0, 1000), zero_point=st.integers(0, 255))
def test_weights_are_near_and_the_bias_takes_the_zero_point(
    quantizer: Quantizer, per_channel: bool, seed: int, zero_point: int
) -> None:
    weight, bias = normal(seed, 4, 9), normal(seed + 1, 4)
    scales = weight_scales(weight, S8N, quantizer, per_channel=per_channel, spare=1.0)
    assert scales.shape == ((4,) if per_channel else (1,))
    source = Coding(U8, 0.25, zero_point)
    layer = integer_layer(NODE, weight, bias, scales, S8N, source)
    assert layer.weight.element == S8N
    assert np.array_equal(layer.scale, 0.25 * scales)
    error = np.abs(layer.weight.data * scales.reshape(-1, 1) - weight)
    slack = 0.5 if quantizer is AFFINE else 1.0
    assert np.all(error <= slack * scales.reshape(-1, 1) + 1e-9)
    sums = layer.weight.data.astype(np.int64).sum(axis=1)
    real = (layer.bias.data + zero_point * sums) * layer.scale
    assert np.all(np.abs(real - bias) <= layer.scale / 2 + 1e-9)


def test_a_channel_far_below_the_others_keeps_eight_bits_of_multiplier() -> None:
    weight = np.array([[1.0, -1.0], [1e-9, 0.0], [0.0, 0.0]], dtype=np.float32)
    scales = weight_scales(weight, S8N, AFFINE, per_channel=True, spare=9.0)
    assert scales[1] == pytest.approx(scales[0] * SMALLEST_CHANNEL)
    assert scales[2] == scales[0]


def test_a_layer_of_zeros_takes_the_scale_it_is_given() -> None:
    scales = weight_scales(np.zeros((3, 2)), S8N, AFFINE, per_channel=True, spare=0.5)
    assert scales.tolist() == [0.5, 0.5, 0.5]


def test_a_bias_beyond_32_bits_says_what_to_do() -> None:
    weight, bias = np.full((2, 1), 1e-9), np.array([0.0, 3.0])
    with pytest.raises(
        QuantizationError,
        match=r"^matmul 'f': the bias of channel 1 must fit 32 bits at the accumulator's step "
        r"7\.87e-12, not be 3 \(381000000000 steps\): .* set the weights to zero$",
    ):
        integer_layer(NODE, weight, bias, np.array([1e-9 / 127]), S8N, Coding(U8, 1.0))
