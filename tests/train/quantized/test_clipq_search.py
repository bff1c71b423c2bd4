# SPDX-License-Identifier: Apache-2.0
"""The search for CLIP-Q's parameters: against trying everything, and what it leaves alone."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from intaglio.errors import QuantizationError
from intaglio.train.metrics import accuracy
from intaglio.train.quantized import QatScheme, prepare
from intaglio.train.quantized.clipq import ClipQ, stored_bits
from intaglio.train.quantized.clipq_search import (
    CANDIDATES,
    Theta,
    expected_improvement,
    least,
    search_clipq,
)

FEW = (Theta(0.0, 2), Theta(0.4, 2), Theta(0.8, 3), Theta(0.2, 4))


def network(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 4)
    ).eval()


def judged_by_itself(model: nn.Module, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images with the labels that the network in floats gives them."""
    images = np.random.default_rng(seed).random((60, 1, 6, 6)).astype(np.float32) - 0.5
    with torch.no_grad():
        return images, model(torch.tensor(images)).argmax(1).numpy()


@settings(max_examples=8)
@given(st.integers(0, 1000), st.floats(0, 2))
def test_with_a_trial_each_it_is_the_best_of_every_layer(seed: int, tradeoff: float) -> None:
    model = network(seed)
    images, labels = judged_by_itself(model, seed)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = search_clipq(model, images, labels, tradeoff=tradeoff, candidates=FEW, trials=len(FEW))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    total = 32 * sum(p.numel() for name, p in model.named_parameters() if "weight" in name)
    assert list(found) == ["0", "3", "5"]
    for name, override in found.items():
        weight = model.get_parameter(f"{name}.weight")
        latent, scores = weight.detach().clone(), []
        for theta in FEW:
            quantizer = ClipQ(theta.prune, theta.bits).eval()
            kept = quantizer.clipped(latent).kept
            saved = 32 * latent.numel() - stored_bits(latent.numel(), kept, theta.bits)
            with torch.no_grad():
                weight.copy_(quantizer(latent))
            scores.append(1 - accuracy(model, images, labels) - tradeoff * saved / total)
        best = FEW[int(np.argmin(scores))]
        assert (override.prune, override.weights) == (best.prune, best.bits)
        with torch.no_grad():
            weight.copy_(ClipQ(best.prune, best.bits).eval()(latent))


def test_the_larger_the_tradeoff_the_fewer_bits_and_a_scheme_takes_what_is_found() -> None:
    model = network(1)
    images, labels = judged_by_itself(model, 1)
    cheap = search_clipq(model, images, labels, tradeoff=100.0)
    assert {(one.prune, one.weights) for one in cheap.values()} == {(0.9, 2)}
    scheme = QatScheme(2, 8, "clipq", overrides=cheap)
    assert scheme.of("3").prune == 0.9
    prepare(model, scheme)


@settings(max_examples=30)
@given(st.floats(0, 0.9), st.floats(2, 6), st.integers(0, 10**6))
def test_few_trials_find_the_floor_of_a_bowl(prune: float, bits: float, seed: int) -> None:
    """Twenty of fifty candidates, on a smooth function: at most a step from the best."""
    points = np.array([[theta.prune, theta.bits] for theta in CANDIDATES])
    values = ((points - [prune, bits]) ** 2 / [0.81, 16]).sum(1)
    tried: list[int] = []

    def objective(index: int) -> float:
        tried.append(index)
        return float(values[index])

    found = least(objective, points, 20)
    assert len(set(tried)) == len(tried) == 20
    assert values[found] <= values.min() + 0.02


def test_nothing_is_expected_where_all_is_known() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    gain = expected_improvement(points, {0: 0.0, 1: 1.0})
    assert gain[0] == pytest.approx(0, abs=1e-2)
    assert gain[2] > 10 * abs(gain[1])
    assert gain[2] > 0.02


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"tradeoff": -1.0}, "the tradeoff must be 0 or more and finite, not -1.0"),
        ({"tradeoff": math.nan}, "the tradeoff must be 0 or more and finite, not nan"),
        ({"candidates": ()}, "the search must have a candidate and a trial at least"),
        ({"trials": 0}, "the search must have a candidate and a trial at least"),
    ],
)
def test_what_cannot_be_searched_is_refused(changed: dict[str, Any], text: str) -> None:
    model = network(0)
    images, labels = judged_by_itself(model, 0)
    with pytest.raises(QuantizationError, match=f"^{text}$"):
        search_clipq(model, images, labels, **({"tradeoff": 1.0} | changed))
    with pytest.raises(QuantizationError, match=r"^the share of pruned weights must be in 0..1"):
        Theta(1.0, 2)
