# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.matmul import Matmul
from intaglio.quantize.ranges import Coding
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.weights import (
    SMALLEST_CHANNEL,
    Grid,
    integer_layer,
    rounded_bias,
    weight_grid,
)
from tests.quantize.networks import normal

U8 = IntType.parse("u8")
NODE = Node("f", Matmul(), ("x", "w", "b"))
GRANULARITIES = st.sampled_from(["per_channel", "per_tensor"])
RULES = st.sampled_from(["affine", "pow2"])


def grid_of(weight: np.ndarray, scheme: Scheme, spare: float = 1.0) -> Grid:
    return weight_grid(weight, scheme, spare, depthwise=False)


def reals(grid: Grid, codes: np.ndarray) -> np.ndarray:
    return codes * grid.scales.reshape(-1, *[1] * (codes.ndim - 1))


@given(GRANULARITIES, RULES, st.integers(0, 1000), st.integers(0, 255))
def test_weights_are_near_and_the_bias_takes_the_zero_point(
    granularity: str, rule: str, seed: int, zero_point: int
) -> None:
    weight, bias = normal(seed, 4, 9), normal(seed + 1, 4)
    scheme = Scheme(granularity=granularity, scale_rule=rule)  # type: ignore[arg-type]
    grid = grid_of(weight, scheme)
    assert grid.scales.shape == ((4,) if granularity == "per_channel" else (1,))
    source = Coding(U8, 0.25, zero_point)
    codes = grid.nearest(grid.steps(weight))
    layer = integer_layer(NODE, codes, bias, grid, source)
    assert layer.weight.element == IntType.parse("s8n")
    assert np.array_equal(layer.scale, 0.25 * grid.scales)
    slack = 0.5 if rule == "affine" else 1.0
    assert np.all(np.abs(reals(grid, codes) - weight) <= slack * grid.scales.max() + 1e-9)
    sums = layer.weight.data.astype(np.int64).sum(axis=1)
    real = (layer.bias.data + zero_point * sums) * layer.scale
    assert np.all(np.abs(real - bias) <= layer.scale / 2 + 1e-9)


@given(GRANULARITIES, st.integers(0, 1000), st.integers(1, 8), st.floats(-3, 3))
def test_affine_weights_have_a_zero_point_that_is_taken_off(
    granularity: str, seed: int, bits: int, offset: float
) -> None:
    """What lies on one side of zero still has all the codes, and the difference one more bit."""
    weight = normal(seed, 4, 9) + np.float32(offset)
    grid = grid_of(
        weight,
        Scheme(weights=f"u{bits}", weight_rule="affine", granularity=granularity),  # type: ignore[arg-type]
    )
    assert np.all(grid.high - grid.low == 2**bits - 1)
    assert np.all((grid.low <= 0) & (grid.high >= 0))
    assert grid.element.width <= bits + 1
    assert grid.element == IntType.holding(int(grid.low.min()), int(grid.high.max()))
    codes = grid.nearest(grid.steps(weight))
    assert grid.element.contains(codes)
    error = np.abs(reals(grid, codes) - weight)
    assert np.all(error <= grid.scales.reshape(-1, 1) * (1 + 1e-6))


@given(GRANULARITIES, RULES, st.integers(0, 1000))
def test_one_bit_is_a_sign_and_the_mean_magnitude(granularity: str, rule: str, seed: int) -> None:
    weight = normal(seed, 4, 9)
    weight[0, 0] = 0.0
    scheme = Scheme("s1", granularity=granularity, scale_rule=rule)  # type: ignore[arg-type]
    grid = grid_of(weight, scheme)
    assert str(grid.element) == "s2n"
    codes = grid.nearest(grid.steps(weight))
    assert np.array_equal(codes, np.where(weight < 0, -1, 1))
    means = np.abs(weight.astype(np.float64)).mean(axis=1 if granularity == "per_channel" else None)
    if rule == "affine":
        assert grid.scales == pytest.approx(np.atleast_1d(means))
    else:
        assert all(math.frexp(scale)[0] == 0.5 for scale in grid.scales)
        assert np.all((grid.scales <= 4 / 3 * means) & (grid.scales >= 2 / 3 * means))


def test_a_channel_of_zeros_keeps_its_zeros_in_one_bit_too() -> None:
    weight = np.array([[0.5, -0.5], [0.0, 0.0]])
    grid = grid_of(weight, Scheme("s1"))
    assert grid.nearest(grid.steps(weight)).tolist() == [[1, -1], [0, 0]]
    assert grid.scales.tolist() == [0.5, 0.5]
    assert grid_of(np.zeros((2, 2)), Scheme("s1"), spare=0.25).scales.tolist() == [0.25, 0.25]


@given(st.integers(0, 1000), st.integers(1, 7), GRANULARITIES)
def test_a_codebook_has_few_numbers_of_8_bits(seed: int, bits: int, granularity: str) -> None:
    weight = normal(seed, 4, 20)
    scheme = Scheme(f"s{bits}", weight_rule="codebook", granularity=granularity)  # type: ignore[arg-type]
    grid = grid_of(weight, scheme)
    codes = grid.nearest(grid.steps(weight))
    assert str(grid.element) == "s8n"
    assert len(np.unique(codes)) <= 2**bits
    assert grid.levels is not None
    distances = np.abs(grid.steps(weight)[..., None] - grid.levels)
    assert np.array_equal(np.abs(grid.steps(weight) - codes), distances.min(axis=-1))


@given(st.integers(0, 1000), st.integers(2, 4))
def test_least_squares_are_no_worse_than_the_extremes(seed: int, bits: int) -> None:
    weight = np.random.default_rng(seed).standard_t(2, (3, 50))
    errors = []
    for estimator in ("min_max", "mse"):
        grid = grid_of(weight, Scheme(f"s{bits}", weight_estimator=estimator))
        away = reals(grid, grid.nearest(grid.steps(weight))) - weight
        errors.append((away * away).sum())
    assert errors[1] <= errors[0] * 1.001


def test_a_half_is_rounded_up_or_away_from_zero() -> None:
    steps = np.array([[-1.5, -0.5, 0.5, 1.5]])
    grid = Grid(U8, np.ones(1), np.array([-9]), np.array([9]))
    assert grid.nearest(steps).tolist() == [[-1, 0, 1, 2]]
    assert replace(grid, half_away=True).nearest(steps).tolist() == [[-2, -1, 1, 2]]


def test_neighbors_of_codes() -> None:
    grid = Grid(U8, np.ones(1), np.array([-2]), np.array([2]))
    codes, upwards = np.array([[-2, 0, 2, 2]]), np.array([[False, True, True, False]])
    assert grid.next(codes, upwards).tolist() == [[-2, 1, 2, 1]]
    few = replace(grid, levels=np.array([-2, 0, 2]))
    assert few.next(codes, upwards).tolist() == [[-2, 2, 2, 0]]


def test_a_channel_far_below_the_others_keeps_eight_bits_of_multiplier() -> None:
    weight = np.array([[1.0, -1.0], [1e-9, 0.0], [0.0, 0.0]], dtype=np.float32)
    scales = grid_of(weight, Scheme()).scales
    assert scales[1] == pytest.approx(scales[0] * SMALLEST_CHANNEL)
    assert scales[2] == scales[0]


@pytest.mark.parametrize(
    "scheme",
    [Scheme(), Scheme("u8", weight_rule="affine"), Scheme("s4", weight_rule="codebook")],
    ids=str,
)
def test_a_layer_of_zeros_takes_the_scale_it_is_given(scheme: Scheme) -> None:
    grid = grid_of(np.zeros((3, 2)), scheme, spare=0.5)
    assert grid.scales.tolist() == [0.5, 0.5, 0.5]
    assert not grid.nearest(grid.steps(np.zeros((3, 2)))).any()


def test_depthwise_weights_may_have_an_estimator_of_their_own() -> None:
    weight = np.random.default_rng(5).standard_t(1.5, (4, 40))
    scheme = replace(Scheme.named("vitis"), depthwise_estimator="min_roots")
    plain, depthwise = (weight_grid(weight, scheme, 1.0, depthwise=d) for d in (False, True))
    assert plain.scales != depthwise.scales


@given(st.integers(0, 1000), st.integers(2, 16))
def test_a_bias_of_few_bits_has_a_scale_of_its_own(seed: int, bits: int) -> None:
    bias = normal(seed, 5) * 10
    scheme = replace(Scheme.named("pow2"), biases=f"s{bits}")
    products = np.array([2.0**-12])
    found = rounded_bias(bias, scheme, products, 2.0**-4)
    scale = 2.0 ** math.ceil(math.log2(np.abs(bias).max() / 2 ** (bits - 1)))
    assert np.all(np.abs(found - bias) <= scale + products)
    assert len(np.unique(found)) <= 2**bits
    assert np.array_equal(found / products, np.floor(found / products))
    assert rounded_bias(bias, Scheme(), products, 1.0) is bias


def test_a_bias_beyond_32_bits_says_what_to_do() -> None:
    weight, bias = np.full((2, 1), 1e-9), np.array([0.0, 3.0])
    grid = grid_of(weight, Scheme(granularity="per_tensor"))
    with pytest.raises(
        QuantizationError,
        match=r"^matmul 'f': the bias of channel 1 must fit 32 bits at the accumulator's step "
        r"7\.87e-12, not be 3 \(381000000000 steps\): .* set the weights to zero$",
    ):
        integer_layer(NODE, grid.nearest(grid.steps(weight)), bias, grid, Coding(U8, 1.0))
