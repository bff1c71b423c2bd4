# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.numerics.types import IntType
from intaglio.quantize.declared.fit import fit, fit_nearest, integer_thresholds
from intaglio.quantize.declared.steps import Steps


def staircase(step: float, count: int, inclusive: bool) -> Steps:
    places = step * (np.arange(1, count + 1) - 0.5)[None, :]
    ones = np.ones(1)
    return Steps(places, np.full(count, inclusive), 0, ones, ones * 0)


@given(
    channels=st.integers(1, 4),
    count=st.integers(1, 20),
    width=st.integers(2, 11),
    inclusive=st.booleans(),
    dyadic=st.booleans(),
    seed=st.integers(0, 1 << 32),
)
def test_a_multiplication_and_a_shift_are_the_staircase_for_every_integer(
    channels: int, count: int, width: int, inclusive: bool, dyadic: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    element = IntType(width, signed=True)
    scale, offset = random.uniform(0.002, 2, channels), random.uniform(-9, 9, channels)
    if dyadic:  # thresholds are hit exactly
        scale, offset = (np.maximum(np.rint(a * 16), 1) / 16 for a in (scale, offset))
    steps = staircase(1.0, count, inclusive)
    least = integer_thresholds(scale, offset, steps, element)
    n = np.arange(element.min, element.max + 1)
    wanted = steps.reached((scale[:, None] * n + offset[:, None])[..., None]).sum(axis=-1)
    assert np.array_equal((n[None, :, None] >= least[:, None, :]).sum(axis=-1), wanted)
    found = fit(least, scale, element)
    assert found is not None
    product = found.multiplier[:, None] * n + found.addend[:, None]
    assert np.array_equal(np.clip(product >> found.shift, 0, count), wanted)
    if found.whole is not None:
        again = found.multiplier[:, None] * (n + found.whole[:, None]) + found.half
        assert np.array_equal(np.clip(again >> found.shift, 0, count), wanted)


@given(channels=st.integers(1, 4), count=st.integers(1, 60), seed=st.integers(0, 1 << 32))
def test_the_nearest_staircase_misses_as_many_integers_as_it_says(
    channels: int, count: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    element = IntType(14, signed=True)
    scale, offset = random.uniform(0.002, 1, channels), random.uniform(-9, 9, channels)
    least = integer_thresholds(scale, offset, staircase(1.0, count, True), element)
    found, other = fit_nearest(least, scale, element)
    assert found.multiplier.max() < 1 << 17
    n = np.arange(element.min, element.max + 1)
    wanted = (n[None, :, None] >= least[:, None, :]).sum(axis=-1)
    product = found.multiplier[:, None] * n + found.addend[:, None]
    code = np.clip(product >> found.shift, 0, count)
    missed = np.abs(code - wanted)
    assert missed.max() <= 1
    assert missed.sum(axis=1).max() == other


def test_a_bias_of_whole_steps_is_preferred() -> None:
    element = IntType(10, signed=True)
    least = integer_thresholds(np.array([0.25]), np.array([3.0]), staircase(1, 7, True), element)
    found = fit(least, np.array([0.25]), element)
    assert found is not None
    assert (found.multiplier.tolist(), found.shift, found.whole) == ([1], 2, [12])


def test_thresholds_at_uneven_distances_have_none() -> None:
    least = np.array([[0, 1, 900]])
    assert fit(least, np.array([0.01]), IntType(12, signed=True)) is None
