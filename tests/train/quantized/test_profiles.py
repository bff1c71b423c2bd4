# SPDX-License-Identifier: Apache-2.0
"""Published quantizers on corner values, and against plain loops."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from intaglio.errors import QuantizationError
from intaglio.train.quantized.profiles import (
    FlowNetActivations,
    PublishedClipQ,
    flownet_weights,
    published_clip,
)


def test_corner_values_of_the_published_flownet() -> None:
    activations, weights = FlowNetActivations(8), flownet_weights(8)
    x = torch.tensor([3.99, 4.0, 99.0, -1.0, 0.0, 4 / 512, 3.99 / 512])
    expected = [255, 255, 255, 0, 0, 1, 0]
    assert (activations(x) * 256).tolist() == expected
    w = torch.tensor([0.125, -0.125, 9.0, -9.0, 1 / 2048, -1 / 2048])
    assert (weights(w) * 1024).tolist() == [127, -128, 127, -128, 1, 0]


@given(st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=30), st.integers(1, 8))
def test_published_activations_are_a_quarter_rounded_halves_up(
    values: list[float], bits: int
) -> None:
    levels = 2**bits
    found = FlowNetActivations(bits)(torch.tensor(values))
    for value, quantized in zip(values, found.tolist(), strict=True):
        a = min(max(0.25 * value, 0), 1 - 1 / levels)
        assert quantized == math.floor(a * levels + 0.5) / levels


def test_published_weights_have_two_bits_at_least() -> None:
    with pytest.raises(QuantizationError, match=r"^weights of a fixed range must have 2"):
        flownet_weights(1)


def published(weights: list[float], prune: float, bits: int) -> tuple[list[int], list[float]]:
    """The published rules, one weight at a time: levels, and centroids by level."""
    half = 2 ** (bits - 1)
    levels, centroids = [0] * len(weights), {}
    for sign, count in ((1, half - 1), (-1, half)):
        order = sorted((w * sign, i) for i, w in enumerate(weights) if w * sign > 0)
        pruned = math.ceil(prune * len(order))
        threshold = order[pruned - 1][0] if pruned else 0.0
        members: dict[int, list[float]] = {level: [] for level in range(1, count + 1)}
        for magnitude, i in order[pruned:]:
            width = (order[-1][0] - threshold) / count
            level = min(int((magnitude - threshold) / width) + 1, count)
            levels[i] = sign * level
            members[level].append(weights[i])
        for level, those in members.items():
            mean = np.float32(sum(those)) / np.float32(len(those) + 1e-7)
            whole = math.trunc(float(mean) * 32)
            centroids[sign * level] = min(max(whole / 32, -4.0), 4 - 1 / 32)
    centroids[0] = 0.0
    return levels, [centroids[level] for level in range(-half, half)]


@given(
    st.lists(st.integers(-3000, 3000), min_size=1, max_size=40, unique_by=abs),
    st.sampled_from([0.0, 0.25, 0.5]),
    st.integers(2, 4),
)
def test_published_clipq_follows_its_rules(whole: list[int], prune: float, bits: int) -> None:
    weights = [one / 512 for one in whole]
    found = published_clip(torch.tensor(weights), prune, bits)
    levels, centroids = published(weights, prune, bits)
    different = [i for i, level in enumerate(levels) if int(found.levels[i]) != level]
    assert not different
    assert found.centroids.tolist() == centroids
    assert PublishedClipQ(prune, bits)(torch.tensor(weights)).tolist() == [
        centroids[level + 2 ** (bits - 1)] for level in levels
    ]


def test_corner_values_of_the_published_clipq() -> None:
    weights = torch.tensor([0.01, 0.02, 0.03, -0.01, -0.02, -0.3, -9.0, 9.0])
    found = published_clip(weights)
    assert found.codes.tolist() == [2, 2, 3, 2, 2, 1, 0, 3]
    assert found.centroids.tolist() == [-4.0, -9 / 32, 0.0, 3.96875]


def test_small_weights_all_vanish_as_published() -> None:
    weights = 0.005 * torch.randn(500, generator=torch.Generator().manual_seed(0))
    assert not PublishedClipQ(0.4, 2)(weights).any()
