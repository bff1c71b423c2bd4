# SPDX-License-Identifier: Apache-2.0
"""Binary weights: signs and their scale; gradients straight through."""

from __future__ import annotations

from typing import get_args

import hypothesis.strategies as st
import torch
from hypothesis import given

from intaglio.train.quantized.binary import Binary, BinaryScale


@given(st.integers(0, 2**31), st.sampled_from(get_args(BinaryScale)), st.booleans())
def test_each_weight_is_its_sign_times_the_scale(
    seed: int, of: BinaryScale, power_of_two: bool
) -> None:
    weight = torch.randn(3, 2, 2, generator=torch.Generator().manual_seed(seed))
    weight[0, 0, 0] = 0
    found = Binary(of, power_of_two=power_of_two)(weight)
    mean = {
        "channel": weight.abs().mean((1, 2), keepdim=True),
        "tensor": weight.abs().mean(),
        "one": torch.ones(()),
    }[of]
    if power_of_two:
        mean = torch.exp2(torch.log2(mean).round())
    expected = torch.where(weight < 0, -mean, mean)
    assert torch.allclose(found, expected.expand(weight.shape), rtol=1e-6)
    assert bool((found != 0).all())


def test_gradients_go_straight_through() -> None:
    weight = torch.tensor([[-9.0, 0.0, 0.3]], requires_grad=True)
    gradient = torch.tensor([[1.0, 2.0, 3.0]])
    Binary()(weight).backward(gradient)
    assert weight.grad is not None
    assert torch.equal(weight.grad, gradient)


def test_a_filter_of_zeros_keeps_a_sign() -> None:
    assert bool((Binary()(torch.zeros(2, 3)) > 0).all())
