# SPDX-License-Identifier: Apache-2.0
"""Learned scales: where they start, how fast they move, what they never become."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from intaglio.errors import QuantizationError
from intaglio.train.quantized.learned import LEAST_SCALE, learned_activations, learned_weights

seeds = st.integers(0, 2**31)
bits_of_weights = st.integers(2, 8)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(seeds, bits_of_weights, st.booleans())
def test_lsq_starts_weights_at_twice_their_mean_magnitude(
    seed: int, bits: int, channels: bool
) -> None:
    weight = drawn(seed, 4, 3, 2, 2)
    quantizer = learned_weights(weight, bits, channels=channels)
    rows = weight.reshape(4 if channels else 1, -1)
    expected = 2 * rows.abs().mean(1) / math.sqrt(2 ** (bits - 1) - 1)
    assert torch.allclose(quantizer.scale.reshape(-1), expected)
    assert quantizer.scale.shape == ((4, 1, 1, 1) if channels else (1,))


@given(seeds, bits_of_weights)
def test_lsq_plus_starts_weights_at_three_deviations(seed: int, bits: int) -> None:
    weight = drawn(seed, 5, 6) + 0.3
    quantizer = learned_weights(weight, bits, plus=True)
    mean, spread = weight.mean(), 3 * weight.std(correction=0)
    expected = max(abs(mean - spread), abs(mean + spread)) / 2 ** (bits - 1)
    assert torch.allclose(quantizer.scale, expected)


@given(seeds, st.integers(1, 8), st.floats(-3, 3))
def test_lsq_plus_starts_activations_at_their_ends(seed: int, bits: int, shift: float) -> None:
    x = drawn(seed, 3, 7) + shift
    quantizer = learned_activations(bits, plus=True)
    quantizer.initialize(x)
    step = (x.max() - x.min()) / (2**bits - 1)
    assert torch.allclose(quantizer.scale, step)
    found = quantizer(x)
    assert float((found - x).detach().abs().max()) <= 1.0001 * float(step)


@given(seeds, bits_of_weights)
def test_gradients_of_scales_are_divided_by_the_root_of_numbers_times_levels(
    seed: int, bits: int
) -> None:
    weight = drawn(seed, 4, 9)
    high = 2 ** (bits - 1) - 1
    of_weights, of_activations = learned_weights(weight, bits), learned_activations(bits)
    of_activations.initialize(weight.abs())
    for quantizer, x, numbers, top in (
        (of_weights, weight, 36, high),
        (of_activations, weight.abs(), 9, 2**bits - 1),
    ):
        quantizer(x).sum().backward()
        v = x / quantizer.scale.detach()
        moved = v.round().clamp(quantizer.low, quantizer.high) - v
        outside = (v < quantizer.low) | (v > quantizer.high)
        raw = torch.where(outside, v.clamp(quantizer.low, quantizer.high), moved).sum()
        assert quantizer.scale.grad is not None
        expected = raw / math.sqrt(numbers * top)
        assert torch.allclose(quantizer.scale.grad, expected, atol=1e-4)


@given(seeds, bits_of_weights)
def test_powers_of_two_are_the_nearest_of_the_learned_scale(seed: int, bits: int) -> None:
    weight = drawn(seed, 4, 9)
    quantizer = learned_weights(weight, bits, channels=True, power_of_two=True)
    scale, _ = quantizer.grid(weight)
    exponent = torch.log2(scale)
    assert torch.equal(exponent, exponent.round())
    assert float((exponent - torch.log2(quantizer.scale)).detach().abs().max()) <= 0.5001
    quantizer(weight).sum().backward()
    assert quantizer.scale.grad is not None
    assert bool((quantizer.scale.grad != 0).any())


def test_a_scale_never_gets_below_its_least() -> None:
    quantizer = learned_activations(2)
    quantizer.initialize(torch.zeros(2, 3))
    assert quantizer.scale.item() == LEAST_SCALE
    with torch.no_grad():
        quantizer.scale.fill_(-1.0)
    assert quantizer.grid(torch.zeros(1, 1))[0].item() == LEAST_SCALE


@pytest.mark.parametrize("x", [torch.zeros(0), torch.tensor([1.0, math.nan])])
def test_it_starts_from_finite_numbers_only(x: torch.Tensor) -> None:
    text = "^values to start a scale from must be finite, and some$"
    with pytest.raises(QuantizationError, match=text):
        learned_activations(2).initialize(x)


def test_bits_out_of_range_are_refused() -> None:
    with pytest.raises(QuantizationError, match=r"^weights of a learned scale must have 2"):
        learned_weights(torch.ones(1, 1), 1)
    with pytest.raises(QuantizationError, match=r"^activations must have 1"):
        learned_activations(0)
    with pytest.raises(QuantizationError, match=r"^activations with a sign must have 2"):
        learned_activations(1, signed=True)
