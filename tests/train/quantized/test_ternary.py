# SPDX-License-Identifier: Apache-2.0
"""Ternary weights: the published threshold and scale; gradients straight through."""

from __future__ import annotations

import hypothesis.strategies as st
import torch
from hypothesis import given

from intaglio.train.quantized.ternary import Ternary


@given(st.integers(0, 2**31), st.booleans())
def test_threshold_and_scale_are_those_of_the_paper(seed: int, channels: bool) -> None:
    weight = torch.randn(3, 2, 2, generator=torch.Generator().manual_seed(seed))
    found = Ternary(channels=channels)(weight)
    for part, its in zip(
        weight if channels else [weight], found if channels else [found], strict=True
    ):
        beyond = part.abs() > 0.7 * part.abs().mean()
        scale = part.abs()[beyond].mean()
        assert torch.allclose(its, torch.where(beyond, scale * part.sign(), 0.0), rtol=1e-6)


def test_scales_can_be_powers_of_two() -> None:
    scale, _ = Ternary(power_of_two=True).grid(torch.tensor([[3.0, -3.0, 0.1]]))
    assert scale.tolist() == [4.0]


def test_gradients_go_straight_through_and_zeros_stay() -> None:
    weight = torch.tensor([[-9.0, 0.1, 3.0]], requires_grad=True)
    gradient = torch.tensor([[1.0, 2.0, 3.0]])
    Ternary()(weight).backward(gradient)
    assert weight.grad is not None
    assert torch.equal(weight.grad, gradient)
    assert torch.equal(Ternary()(torch.zeros(2, 2)), torch.zeros(2, 2))
