# SPDX-License-Identifier: Apache-2.0
"""The operator: what it computes, exactly; its fast path; its gradients; its place in exports."""

from __future__ import annotations

import math
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from intaglio.errors import QuantizationError
from intaglio.train.quantized.fake_quantize import (
    ROUNDINGS,
    by_definition,
    fake_quantize,
    gradients_by_definition,
)

roundings = st.sampled_from(ROUNDINGS)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def grids(draw: st.DrawFn) -> tuple[int, int]:
    low = draw(st.integers(-128, 0))
    return low, draw(st.integers(low, 255))


@st.composite
def cases(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A tensor with ties and numbers beyond the ends, scales and zero points."""
    random = np.random.default_rng(draw(seeds))
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    channels = draw(st.booleans())
    scale_shape = (shape[0], *(1,) * (len(shape) - 1)) if channels else (1,)
    scale = np.exp2(random.integers(-6, 3, scale_shape)) * (
        1 if draw(st.booleans()) else random.uniform(0.5, 1, scale_shape)
    )
    zero = random.integers(-9, 10, scale_shape if draw(st.booleans()) else (1,))
    halves = random.integers(-600, 600, shape) / 2
    x = scale * halves if draw(st.booleans()) else random.normal(0, 50, shape)
    return (
        torch.tensor(x, dtype=torch.float32),
        torch.tensor(scale, dtype=torch.float32),
        torch.tensor(zero, dtype=torch.float32),
    )


def exact(v: float, rounding: str) -> int:
    """Round as Python's fractions do."""
    exactly = Fraction(v)
    return round(exactly) if rounding == "half_even" else math.floor(exactly + Fraction(1, 2))


@given(cases(), grids(), roundings)
def test_it_is_what_its_formula_says(
    case: tuple[torch.Tensor, torch.Tensor, torch.Tensor], grid: tuple[int, int], rounding: str
) -> None:
    x, scale, zero = case
    found = fake_quantize(x, scale, zero, *grid, rounding)
    scales, zeros = (np.broadcast_to(t.numpy(), x.shape) for t in (scale, zero))
    for v, s, z, value in zip(*(a.reshape(-1) for a in (x, scales, zeros, found)), strict=True):
        code = exact(float(np.float32(v) / np.float32(s)), rounding) + int(z)
        code = min(max(code, grid[0]), grid[1])
        assert float(value) == float(np.float32(s) * np.float32(code - int(z)))


@given(cases(), grids(), roundings)
def test_the_fast_path_is_the_definition_bit_for_bit(
    case: tuple[torch.Tensor, torch.Tensor, torch.Tensor], grid: tuple[int, int], rounding: str
) -> None:
    found = fake_quantize(*case, *grid, rounding)
    assert torch.equal(found, by_definition(*case, *grid, rounding))
    strided = case[0].transpose(0, -1).contiguous().transpose(0, -1)
    assert torch.equal(found, fake_quantize(strided, *case[1:], *grid, rounding))


@given(cases(), grids(), roundings, seeds)
def test_a_tensor_that_lies_by_pixels_gets_the_same_results_and_stays_so(
    case: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    grid: tuple[int, int],
    rounding: str,
    seed: int,
) -> None:
    plain = case[0].reshape(case[0].shape + (1,) * (4 - case[0].ndim))
    scale, zero = (one.reshape(-1, 1, 1, 1) for one in case[1:])
    gradient = torch.randn(plain.shape, generator=torch.Generator().manual_seed(seed))
    results, gradients = [], []
    for layout in (torch.contiguous_format, torch.channels_last):
        x = plain.clone(memory_format=layout).requires_grad_()
        result = fake_quantize(x, scale, zero, *grid, rounding)
        result.backward(gradient)
        assert result.is_contiguous(memory_format=layout)
        assert x.grad is not None
        results.append(result)
        gradients.append(x.grad)
    assert torch.equal(*results)
    assert torch.equal(*gradients)


@given(cases(), grids(), roundings)
def test_what_is_on_the_grid_stays(
    case: tuple[torch.Tensor, torch.Tensor, torch.Tensor], grid: tuple[int, int], rounding: str
) -> None:
    once = fake_quantize(*case, *grid, rounding)
    assert torch.equal(fake_quantize(once, *case[1:], *grid, rounding), once)


@given(cases(), grids(), roundings, seeds, st.booleans())
def test_gradients_of_the_fast_path_are_those_of_the_definition(
    case: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    grid: tuple[int, int],
    rounding: str,
    seed: int,
    learned: bool,
) -> None:
    x, scale, zero = (one.clone().requires_grad_() for one in case)
    scale.requires_grad_(learned)
    zero.requires_grad_(learned)
    result = fake_quantize(x, scale, zero, *grid, rounding)
    gradient = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    result.backward(gradient)
    expected = gradients_by_definition(*case, gradient, (*grid, rounding))
    assert x.grad is not None
    assert torch.equal(x.grad, expected[0])
    if learned:
        size = 1 + float(gradient.abs().sum()) * (300 + float(case[0].abs().max() / case[1].min()))
        assert scale.grad is not None
        assert zero.grad is not None
        assert torch.allclose(scale.grad, expected[1], atol=1e-6 * size)
        assert torch.allclose(zero.grad, expected[2], atol=1e-6 * size)


def test_the_gradient_of_the_scale_is_that_of_lsq() -> None:
    """Equation 3 of the paper, with bits 2: low -2, high 1."""
    scale = torch.tensor([0.5], requires_grad=True)
    for v, slope in ((-9.0, -2.0), (-1.2, 0.2), (0.3, -0.3), (0.7, 0.3), (7.0, 1.0)):
        scale.grad = None
        fake_quantize(torch.tensor([v * 0.5]), scale, torch.zeros(1), -2, 1, "half_up").backward(
            torch.ones(1)
        )
        assert scale.grad is not None
        assert scale.grad.item() == pytest.approx(slope, abs=1e-6)


def test_halves_just_below_one_half_are_not_rounded_up() -> None:
    below = torch.tensor([np.nextafter(np.float32(0.5), np.float32(0))])
    one, zero = torch.ones(1), torch.zeros(1)
    assert fake_quantize(below, one, zero, -8, 7, "half_up").item() == 0
    assert fake_quantize(torch.tensor([0.5, -0.5]), one, zero, -8, 7, "half_up").tolist() == [1, 0]


def test_numbers_of_other_types_and_scales_go_the_plain_way() -> None:
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor([[0.5, 0.25, 1.0, 2.0]], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    found = fake_quantize(x, scale, zero, -8, 7, "half_even")
    assert torch.equal(found, by_definition(x, scale, zero, -8, 7, "half_even"))
    assert fake_quantize(
        torch.empty(0, 2), torch.ones(1), torch.zeros(1), 0, 1, "half_up"
    ).shape == (0, 2)


def test_not_a_number_stays_one() -> None:
    one, zero = torch.ones(1), torch.zeros(1)
    assert torch.isnan(fake_quantize(torch.tensor([np.nan]), one, zero, 0, 3, "half_up")).all()


@pytest.mark.parametrize(
    ("low", "high", "rounding", "text"),
    [
        (0, 3, "up", "rounding must be half_up or half_even, not 'up'"),
        (4, 3, "half_up", "the low end of a grid must be at most 3, not 4"),
    ],
)
def test_what_is_no_grid_is_refused(low: int, high: int, rounding: str, text: str) -> None:
    with pytest.raises(QuantizationError, match=f"^{text}$"):
        fake_quantize(torch.zeros(1), torch.ones(1), torch.zeros(1), low, high, rounding)


def test_an_export_shows_it_by_its_name() -> None:
    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return fake_quantize(x, torch.ones(1), torch.zeros(1), 0, 3, "half_up")

    exported = torch.export.export(Net(), (torch.zeros(2, 3),), strict=False)
    names = [str(node.target) for node in exported.graph.nodes]
    assert names.count("intaglio.fake_quantize.default") == 1
