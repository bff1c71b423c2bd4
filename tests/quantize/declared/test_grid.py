# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.quantize.declared.grid import grid_of


@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 40),
    bits=st.integers(1, 8),
    per_channel=st.booleans(),
    exponent=st.integers(-12, 3),
    seed=st.integers(0, 1 << 32),
)
def test_weights_that_were_quantized_are_found_to_the_last_bit(
    rows: int, columns: int, bits: int, per_channel: bool, exponent: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    reach = max(1, (1 << bits - 1) - 1)
    codes = random.integers(-reach, reach + 1, (rows, columns))
    scale = random.uniform(0.5, 1, (rows if per_channel else 1, 1)) * 2.0**exponent
    weight = scale.astype(np.float32) * codes.astype(np.float32)
    grid = grid_of(weight)
    assert grid is not None
    back = grid.scale.astype(np.float32)[:, None] * grid.codes.astype(np.float32)
    assert np.array_equal(np.broadcast_to(back, weight.shape), weight)
    assert np.abs(grid.codes).max() <= reach


@given(st.integers(0, 1 << 32), st.integers(0, 8))
def test_fixed_point_of_up_to_16_bits_is_found(seed: int, fraction: int) -> None:
    codes = np.random.default_rng(seed).integers(-(1 << 15) + 1, 1 << 15, (3, 50))
    weight = (codes / 2.0**fraction).astype(np.float32)
    grid = grid_of(weight)
    assert grid is not None
    assert np.array_equal(grid.codes * grid.scale[0], weight)


@given(st.integers(0, 1 << 32))
def test_other_weights_are_not(seed: int) -> None:
    weight = np.random.default_rng(seed).standard_normal((4, 30))
    assert grid_of(weight.astype(np.float32)) is None


def test_binary_weights_have_codes_of_one_whatever_their_scale() -> None:
    weight = np.array([[0.3, -0.3, 0.3], [1.7, -1.7, 1.7], [0, 0, 0]], np.float32)
    grid = grid_of(weight)
    assert grid is not None
    assert grid.codes.tolist() == [[1, -1, 1], [1, -1, 1], [0, 0, 0]]
    assert grid.scale.astype(np.float32)[:2].tolist() == weight[:2, 0].tolist()


def test_nothing_but_zeros_are_zeros() -> None:
    grid = grid_of(np.zeros((2, 3), np.float32))
    assert grid is not None
    assert not grid.codes.any()
    assert grid.scale.tolist() == [1.0]
