# SPDX-License-Identifier: Apache-2.0
"""CLIP-Q: shares pruned, intervals, centroids, codebook; against a plain loop."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from intaglio.errors import QuantizationError
from intaglio.train.quantized.clipq import ClipQ, clip, stored_bits

seeds = st.integers(0, 2**31)
prunes = st.floats(0, 0.95)
bits = st.integers(2, 5)


def drawn(seed: int, count: int) -> torch.Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(seed))


@given(seeds, st.integers(1, 200), prunes, bits)
def test_the_smallest_of_each_sign_are_pruned_and_no_others(
    seed: int, count: int, prune: float, bits: int
) -> None:
    weight = drawn(seed, count)
    levels = clip(weight, prune, bits).levels
    for sign in (1, -1):
        part = weight[weight * sign > 0] * sign
        its = levels[weight * sign > 0] * sign
        pruned = int(prune * len(part) + 0.5)
        assert int((its == 0).sum()) == pruned
        assert bool((its >= 0).all())
        if 0 < pruned < len(part):
            assert part[its == 0].max() <= part[its > 0].min()


@given(seeds, st.integers(1, 200), prunes, bits)
def test_levels_are_uniform_intervals_and_values_their_means(
    seed: int, count: int, prune: float, bits: int
) -> None:
    weight = drawn(seed, count)
    found = clip(weight, prune, bits)
    counts = (2**bits - 1 - found.offset, found.offset)
    assert len(found.centroids) == 2**bits
    assert int(found.codes.min()) >= 0
    assert int(found.codes.max()) < 2**bits
    for sign, intervals in zip((1, -1), counts, strict=True):
        its = found.levels * sign
        kept = its > 0
        if not kept.any():
            continue
        part = (weight * sign).double()
        pruned = part[(part > 0) & ~kept]
        threshold = float(pruned.max()) if len(pruned) else 0.0
        width = (float(part[kept].max()) - threshold) / intervals
        for value, level in zip(part[kept].tolist(), its[kept].tolist(), strict=True):
            assert threshold + (level - 1) * width <= value * (1 + 1e-5) + 1e-6
            assert value <= (threshold + level * width) * (1 + 1e-5) + 1e-6
    for level in found.levels.unique().tolist():
        mean = weight[found.levels == level].double().mean() if level else 0.0
        assert float(found.centroids[level + found.offset]) == pytest.approx(float(mean), abs=1e-6)


@given(seeds, st.integers(1, 200), prunes, bits)
def test_the_fast_path_is_the_definition(seed: int, count: int, prune: float, bits: int) -> None:
    weight = drawn(seed, count).double()
    found = clip(weight.float(), prune, bits)
    expected = clip(weight.float().double(), prune, bits)
    assert torch.equal(found.levels, expected.levels)
    assert torch.allclose(found.centroids.double(), expected.centroids, rtol=1e-6)


@given(seeds, st.integers(2, 100), prunes, bits)
def test_intervals_are_dealt_so_that_the_widest_is_narrowest(
    seed: int, count: int, prune: float, bits: int
) -> None:
    weight = drawn(seed, count)
    found = clip(weight, prune, bits)
    lengths = []
    for sign in (1, -1):
        part, its = weight * sign, found.levels * sign
        pruned = part[(part > 0) & (its == 0)]
        threshold = float(pruned.max()) if len(pruned) else 0.0
        lengths.append(float(part.max()) - threshold if bool((its > 0).any()) else 0.0)
    right, left = lengths
    if right and left:
        total = 2**bits - 1

        def widest(negative: int) -> float:
            return max(right / (total - negative), left / negative)

        assert widest(found.offset) <= min(widest(n) for n in range(1, total)) * (1 + 1e-5)


@given(seeds, prunes, bits, st.integers(3, 8), st.floats(1e-4, 1e4))
def test_the_codebook_is_the_finest_power_of_two_that_holds_it(
    seed: int, prune: float, bits: int, codebook_bits: int, size: float
) -> None:
    weight = drawn(seed, 60) * size
    quantizer = ClipQ(prune, bits, codebook_bits)
    scale, _ = quantizer.grid(weight)
    most = float(quantizer.clipped(weight).centroids.abs().max())
    exponent = math.log2(float(scale))
    assert exponent == round(exponent)
    codes = (quantizer(weight) / scale).numpy()
    assert np.array_equal(codes, codes.round())
    assert np.abs(codes).max() <= 2 ** (codebook_bits - 1) - 1
    assert len(np.unique(codes)) <= 2**bits
    if exponent > -24:
        assert most / (float(scale) / 2) > 2 ** (codebook_bits - 1) - 1


@given(seeds, prunes)
def test_gradients_reach_all_weights_those_pruned_too(seed: int, prune: float) -> None:
    weight = drawn(seed, 30).requires_grad_()
    gradient = drawn(seed + 1, 30)
    ClipQ(prune, 2)(weight).backward(gradient)
    assert weight.grad is not None
    assert torch.equal(weight.grad, gradient)


@pytest.mark.parametrize(
    "weight", [torch.zeros(5), torch.ones(4), -torch.ones(3), torch.tensor([2.0])]
)
def test_constants_and_single_signs_have_their_values(weight: torch.Tensor) -> None:
    assert torch.equal(ClipQ(0.0, 2)(weight), weight)


@pytest.mark.parametrize(
    ("prune", "bits", "text"),
    [
        (1.0, 2, "the share of pruned weights must be in 0..1, not 1.0"),
        (math.nan, 2, "the share of pruned weights must be in 0..1, not nan"),
        (0.4, 1, "CLIP-Q's levels must have 2..8 bits, not 1"),
    ],
)
def test_parameters_out_of_range_are_refused(prune: float, bits: int, text: str) -> None:
    with pytest.raises(QuantizationError, match=f"^{text}$"):
        ClipQ(prune, bits)


def test_bits_stored_are_those_of_the_shorter_form() -> None:
    assert stored_bits(100, 10, 4) == 100 + 40 + 15 * 8
    assert stored_bits(100, 100, 2) == 200 + 3 * 8
