# SPDX-License-Identifier: Apache-2.0
"""Fixed ranges: scale, codes and rounding by their formulas."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from intaglio.errors import QuantizationError
from intaglio.train.quantized.fixed_range import fixed_activations, fixed_weights

numbers = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=40)


@given(numbers, st.integers(1, 8), st.sampled_from([1.0, 3.0, 4.0]))
def test_activations_round_halves_up_in_their_range(
    values: list[float], bits: int, range_: float
) -> None:
    x, levels = np.float32(values), 2**bits
    scale = np.float32(range_ / levels)
    codes = np.clip(np.floor(np.float64(x / scale) + 0.5), 0, levels - 1)
    found = fixed_activations(bits, range_)(torch.tensor(x))
    assert found.tolist() == (scale * codes.astype(np.float32)).tolist()


@given(numbers, st.integers(2, 8), st.sampled_from([0.125, 1.0, 1.5]))
def test_weights_use_every_code_of_their_bits(
    values: list[float], bits: int, range_: float
) -> None:
    x, half = np.float32(values), 2 ** (bits - 1)
    scale = np.float32(range_ / half)
    codes = np.clip(np.floor(np.float64(x / scale) + 0.5), -half, half - 1)
    found = fixed_weights(bits, range_)(torch.tensor(x))
    assert found.tolist() == (scale * codes.astype(np.float32)).tolist()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fixed_activations(9), "activations must have 1..8 bits, not 9"),
        (lambda: fixed_weights(1), "weights of a fixed range must have 2..8 bits, not 1"),
        (
            lambda: fixed_weights(4, 0.0),
            "the range of weights must be positive and finite, not 0.0",
        ),
        (
            lambda: fixed_activations(4, float("nan")),
            "the range of activations must be positive and finite, not nan",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(make: object, text: str) -> None:
    assert callable(make)
    with pytest.raises(QuantizationError, match=f"^{text}$"):
        make()
