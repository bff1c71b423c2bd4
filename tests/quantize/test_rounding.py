# SPDX-License-Identifier: Apache-2.0
"""Rounding by data, and biases that take the mean error out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph, Program
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.quantize.adaround import adaround
from intaglio.quantize.gptq import gptq
from intaglio.quantize.program import quantize
from intaglio.quantize.rounding import DAMPING, ROUNDERS, ROUNDING, Rounded, rounded
from intaglio.quantize.sample import Moments
from intaglio.quantize.scheme import Override, Scheme
from intaglio.quantize.weights import Grid
from tests.quantize.networks import growing, network, normal, separable, small, uniform

SEEDS, SIZES = st.integers(0, 10_000), st.integers(1, 6)


def problem(seed: int, rows: int, size: int) -> tuple[np.ndarray, np.ndarray, Grid]:
    """Weights, mean products of inputs that hang together, and codes of three bits."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(20, size)) @ random.normal(size=(size, size))
    gram = inputs.T @ inputs / 20 + 0.1 * np.eye(size)
    scales = random.uniform(0.2, 0.5, rows)
    ends = np.full(rows, -4), np.full(rows, 3)
    return random.normal(size=(rows, size)), gram, Grid(IntType(3, signed=True), scales, *ends)


def change(codes: np.ndarray, weight: np.ndarray, gram: np.ndarray, grid: Grid) -> np.ndarray:
    away = codes * grid.scales.reshape(-1, 1) - weight
    return np.einsum("ki,ij,kj->k", away, gram, away)


@given(SEEDS, SIZES, SIZES)
def test_the_better_of_two_codes_is_taken_until_none_is_better(
    seed: int, rows: int, size: int
) -> None:
    weight, gram, grid = problem(seed, rows, size)
    steps, found = grid.steps(weight), adaround(weight, gram, grid)
    nearest = grid.nearest(steps)
    other = grid.next(nearest, steps > nearest)
    assert np.all((found == nearest) | (found == other))
    least = change(found, weight, gram, grid)
    assert np.all(least <= change(nearest, weight, gram, grid) + 1e-9)
    for j in range(size):
        flipped = found.copy()
        flipped[:, j] = np.where(found == nearest, other, nearest)[:, j]
        assert np.all(least <= change(flipped, weight, gram, grid) + 1e-9)


@given(SEEDS, SIZES, SIZES)
def test_one_weight_after_the_other_is_rounded_and_the_rest_mended(
    seed: int, rows: int, size: int
) -> None:
    """Against the inverse of what is left, computed afresh, as the paper derives it."""
    weight, gram, grid = problem(seed, rows, size)
    left, expected = weight.copy(), np.zeros((rows, size), dtype=int)
    order = list(np.argsort(-np.diag(gram), kind="stable"))
    for done, j in enumerate(order):
        rest = order[done:]
        inverse = np.linalg.inv(gram[np.ix_(rest, rest)])
        expected[:, j] = grid.nearest(grid.steps(left[:, [j]]))[:, 0]
        error = (left[:, j] - expected[:, j] * grid.scales) / inverse[0, 0]
        left[:, rest] -= np.outer(error, inverse[0])
    assert np.array_equal(gptq(weight, gram, grid), expected)


@pytest.mark.parametrize("rounding", ROUNDERS)
@given(seed=SEEDS, rows=SIZES, size=SIZES)
def test_weights_that_are_codes_stay(rounding: str, seed: int, rows: int, size: int) -> None:
    weight, gram, grid = problem(seed, rows, size)
    codes = grid.nearest(grid.steps(weight))
    assert np.array_equal(ROUNDERS[rounding](codes * grid.scales.reshape(-1, 1), gram, grid), codes)


@pytest.mark.parametrize("rounding", ROUNDERS)
@given(seed=SEEDS, rows=SIZES, size=SIZES)
def test_inputs_that_hang_not_together_leave_the_nearest(
    rounding: str, seed: int, rows: int, size: int
) -> None:
    weight, gram, grid = problem(seed, rows, size)
    found = ROUNDERS[rounding](weight, np.diag(np.diag(gram)), grid)
    assert np.array_equal(found, grid.nearest(grid.steps(weight)))


def test_without_data_the_bias_stays() -> None:
    weight, _, grid = problem(1, 3, 4)
    found = rounded(weight, np.arange(3.0), grid, "gptq", None)
    assert isinstance(found, Rounded)
    assert found.bias.tolist() == [0, 1, 2]


@given(SEEDS)
def test_groups_are_rounded_by_themselves(seed: int) -> None:
    weight, gram, grid = problem(seed, 4, 3)
    other = problem(seed + 1, 4, 3)[1]
    means = np.random.default_rng(seed).normal(size=(2, 2, 3))
    moments = Moments(means[0], means[1], np.stack([gram, other]), np.stack([gram, other]), True)
    found = rounded(weight, np.zeros(4), grid, "adaround", moments)
    for g, products in enumerate((gram, other)):
        rows = slice(2 * g, 2 * g + 2)
        more = DAMPING * np.diag(products).mean() + ROUNDING * (means[1, g] ** 2).mean()
        damped = products + more * np.eye(3)
        codes = adaround(weight[rows], damped, grid.rows(rows))
        assert np.array_equal(found.codes[rows], codes)
        real = codes * grid.scales[rows].reshape(-1, 1)
        assert found.bias[rows] == pytest.approx(weight[rows] @ means[0, g] - real @ means[1, g])


# --- in a program --------------------------------------------------------------------------------


def errors(graph: Graph, program: Program, images: np.ndarray, name: str) -> np.ndarray:
    """Return what an accumulator is off by, in real numbers."""
    real = trace(graph, {"x": images})[name]
    codes = trace(program.graph, {"x": program.quantize_input(images)})[f"{name}.acc"]
    return np.asarray(program.quantization[f"{name}.acc"].dequantize(codes) - real)


@settings(max_examples=10)
@given(SEEDS, st.sampled_from(["nearest", "adaround", "gptq"]))
def test_the_mean_error_of_each_channel_is_taken_out(seed: int, rounding: str) -> None:
    """Half a step of the accumulator is left, where the bias is rounded."""
    images = uniform(seed, 40, 6, 6, 2)
    scheme = Scheme("s3", "u3", rounding=rounding, correct_bias=True)  # type: ignore[arg-type]
    for graph, layers in ((small(seed), ("c1", "f3")), (separable(seed), ("d2", "p2", "p3"))):
        program = quantize(graph, images, scheme)
        plain = quantize(graph, images, replace(scheme, correct_bias=False, rounding="nearest"))
        for name in layers:
            away = errors(graph, program, images, name)
            mean = away.reshape(-1, away.shape[-1]).mean(axis=0)
            step = np.array(program.quantization[f"{name}.acc"].scale)
            assert np.all(np.abs(mean) <= step / 2 + 1e-5)
        before = errors(graph, plain, images, layers[-1]).mean()
        assert abs(errors(graph, program, images, layers[-1]).mean()) <= abs(before) + step.max()


@pytest.mark.parametrize("rounding", ROUNDERS)
def test_rounding_by_data_is_nearer_on_it(rounding: str) -> None:
    graph, images = correlated(), uniform(3, 200, 6, 6, 2) + uniform(4, 200, 1, 1, 2)
    noise = []
    for how in ("nearest", rounding):
        program = quantize(graph, images, Scheme("s3", "u8", rounding=how))  # type: ignore[arg-type]
        noise.append((errors(graph, program, images, "c2") ** 2).mean())
    assert noise[1] < 0.8 * noise[0]


def correlated() -> Graph:
    return network(
        (6, 6, 2),
        ("c1", Conv2d(), "x", normal(1, 8, 3, 3, 2), normal(2, 8)),
        ("r1", Relu(), "c1"),
        ("c2", Conv2d(), "r1", normal(3, 8, 3, 3, 8), normal(4, 8)),
    )


def test_one_layer_alone_may_be_rounded_by_data() -> None:
    graph, images = correlated(), uniform(3, 50, 6, 6, 2)
    plain = quantize(graph, images, Scheme("s3"))
    one = quantize(graph, images, Scheme("s3", layers=(Override("c2", rounding="gptq"),)))
    same = [
        np.array_equal(
            plain.graph.constants[f"{n}.weight"].data, one.graph.constants[f"{n}.weight"].data
        )
        for n in ("c1", "c2")
    ]
    assert same == [True, False]


def test_a_layer_that_reads_nothing_but_zeros_keeps_its_bias() -> None:
    graph = network(
        (4,),
        ("f1", Matmul(), "x", -np.ones((3, 4)), np.zeros(3)),
        ("r1", Relu(), "f1"),
        ("f2", Matmul(), "r1", normal(1, 2, 3), np.array([1.0, -2.0])),
    )
    program = quantize(graph, uniform(1, 20, 4), Scheme.named("w3a3"))
    found = trace(program.graph, {"x": program.quantize_input(uniform(1, 20, 4))})["f2.acc"]
    how = program.quantization["f2.acc"]
    away = how.dequantize(found) - np.array([1.0, -2.0])
    assert np.all(np.abs(away) <= np.array(how.scale) / 2)


def test_what_cannot_be_rounded_by_data_is_rounded_to_the_nearest_and_noted() -> None:
    images = uniform(3, 8, 6, 6, 2)
    program = quantize(growing(), images, Scheme("s3", rounding="gptq"))
    assert program.notes == (
        "conv_transpose2d 't2' (/t2) is rounded to the nearest: "
        "only conv2d and matmul are rounded by data",
        "conv_transpose2d 't3' (/t3) is rounded to the nearest: "
        "only conv2d and matmul are rounded by data",
    )
