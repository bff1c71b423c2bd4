# SPDX-License-Identifier: Apache-2.0
"""The profile of Vitis AI: positions, limits and integers of a whole program."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.ir.execute import trace
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.concat import Concat
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.ops.mul import Mul
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.quantize.fixed_point import min_diffs
from intaglio.quantize.program import quantize
from intaglio.quantize.ranges import Range
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.vitis import VITIS, mean
from tests.quantize.networks import network, normal, small, uniform

S8, VITIS_SCHEME = IntType.parse("s8"), Scheme.named("vitis")
POSITIONS = st.integers(-20, 40)


def position(scale: float) -> int:
    assert math.frexp(scale)[0] == 0.5
    return -int(math.log2(scale))


@given(POSITIONS, POSITIONS, POSITIONS)
def test_the_weights_move_until_the_cut_is_a_shift_of_the_unit(w: int, x: int, y: int) -> None:
    moved = position(VITIS.weight(2.0**-x, 2.0**-w, 2.0**-y))
    cut = w + x - y
    assert moved == (w if 0 <= cut <= 16 else w - cut + (0 if cut < 0 else 16))
    assert 0 <= moved + x - y <= 16


@given(st.integers(0, 16), POSITIONS, POSITIONS)
def test_the_bias_moves_until_its_shift_is_one_of_the_unit(cut: int, wx: int, b: int) -> None:
    moved = position(VITIS.bias(2.0**-wx, 2.0**-b, 2.0 ** (cut - wx)))
    low = min(0, cut - 16)
    assert low <= wx - moved <= 16
    assert moved == (b if low <= wx - b <= 16 else moved)
    assert abs(moved - b) == max(0, low - (wx - b), (wx - b) - 16)


@given(POSITIONS, POSITIONS, POSITIONS)
def test_operands_of_a_sum_move_until_they_are_read_and_written_by_shifts_of_the_unit(
    a: int, b: int, y: int
) -> None:
    for op in (Add(), Mul()):
        sources, result = VITIS.meetings[type(op)](op, (2.0**-a, 2.0**-b), 2.0**-y)
        left, right, out = position(sources[0]), position(sources[1]), position(result)
        assert min(left, right) == min(a, b)
        assert max(left, right) == min(max(a, b), min(a, b) + 15)
        assert (left <= right) == (a <= b)
        assert -15 <= min(left, right) - out <= 15
        assert out == y or abs(min(a, b) - out) == 15 < abs(min(a, b) - y)


@given(
    POSITIONS,
    POSITIONS,
    st.sampled_from([Function("sigmoid"), Function("hard_sigmoid", (0.2, 0.5)), Function("tanh")]),
)
def test_a_sigmoid_reads_and_writes_what_the_unit_can(x: int, y: int, op: Function) -> None:
    (source,), result = VITIS.meetings[Function](op, (2.0**-x,), 2.0**-y)
    read, written = position(source), position(result)
    if op.kind == "tanh":
        assert (read, written) == (x, y)
        return
    assert read == sorted((0, x, 15))[1]
    assert 0 <= 14 + read - written <= 31
    assert written >= 7
    assert written == y or (y < 7 == written) or (y > written == read + 14)


@pytest.mark.parametrize("joined", [False, True])
def test_a_sum_of_unlike_operands_keeps_its_shifts_and_what_is_joined_moves_along(
    joined: bool,
) -> None:
    small, zero = np.eye(2) * 2.0**-24, np.zeros(2)
    layers = [
        ("a", Matmul(), "x", np.eye(2), zero),
        ("b", Matmul(), "x", small, zero),
        ("c", Matmul(), "x", small, zero),
        ("y", Add(), "a", "b"),
        ("z", Concat(0) if joined else Add(), "b", "c"),
        ("s", Function("sigmoid"), "a"),
    ]
    graph = network((2,), *layers, outputs=("y", "z", "s"))
    program = quantize(graph, normal(0, 50, 2), VITIS_SCHEME)
    at = {name: position(program.quantization[name].scale[0]) for name in "abcyzs"}
    plain = quantize(graph, normal(0, 50, 2), replace(VITIS_SCHEME, scale_rule="pow2"))
    free = {name: position(plain.quantization[name].scale[0]) for name in "abcyzs"}
    assert (at["a"], free["b"]) == (free["a"], free["a"] + 24)
    assert at["b"] == at["a"] + 15
    assert at["c"] == (at["b"] if joined else free["c"])
    assert 0 <= at["c"] - at["b"] <= 15
    assert 7 <= at["s"] <= at["a"] + 14


@pytest.mark.parametrize(
    ("window", "factor"),
    [
        ((2, 2), 1 / 4),
        ((3, 3), 7 / 64),
        ((5, 5), 10 / 256),
        ((6, 6), 7 / 256),
        ((7, 7), 21 / 1024),
        ((14, 14), 21 / 4096),
        ((1, 256), 1 / 256),
        ((300, 1), 1 / 300),
        ((2, 3), 85 / 512),
    ],
)
def test_averages_have_the_factors_of_the_unit(window: tuple[int, int], factor: float) -> None:
    assert mean(window) == factor


def test_activations_are_signed_whatever_they_are() -> None:
    coding = VITIS.activation(Range(0.0, 1.0), IntType.parse("u8"))
    assert (str(coding.element), coding.scale, coding.zero_point) == ("s8", 2.0**-7, 0)


@given(st.integers(0, 500))
def test_a_program_is_computed_as_the_unit_does(seed: int) -> None:
    """Every layer by the integer formulas, from the positions, in Python."""
    weight, bias = normal(seed, 3, 5), normal(seed + 1, 3)
    graph = network((5,), ("f", Matmul(), "x", weight, bias), ("r", Relu(), "f"))
    images = normal(seed + 2, 20, 5)
    program = quantize(graph, images, VITIS_SCHEME)
    values = trace(program.graph, {"x": program.quantize_input(images)})
    w, x, b = min_diffs(weight, S8), min_diffs(images, S8), min_diffs(bias, S8)
    y = min_diffs(np.maximum(images @ weight.T + bias, 0), S8)
    cut = min(max(w + x - y, 0), 16)
    w = cut + y - x
    b = w + x - min(max(w + x - b, min(0, cut - 16)), 16)
    codes = np.clip(np.floor(images.astype(np.float64) * 2.0**x + 0.5), -128, 127).astype(int)
    assert np.array_equal(values["x"], codes)

    def away(values: np.ndarray, at: int) -> np.ndarray:
        steps = values.astype(np.float64) * 2.0**at
        return np.clip(np.sign(steps) * np.floor(np.abs(steps) + 0.5), -128, 127).astype(int)

    shift = w + x - b
    whole = away(bias, b) << shift if shift >= 0 else away(bias, b) >> -shift
    total = codes @ away(weight, w).T + whole
    cutter = (total + (1 << cut >> 1)) >> cut
    assert np.array_equal(values["r"], np.clip(cutter, 0, 127))


def test_every_requantizer_is_a_shift() -> None:
    program = quantize(small(), uniform(9, 8, 6, 6, 2), VITIS_SCHEME)
    for node in program.graph.nodes:
        if isinstance(node.op, Requantize):
            assert program.graph.constants[node.inputs[1]].data.tolist() == [1]
            assert node.op.shift <= 16
    assert str(program.graph.types["f3"].element) == "s8"


def test_a_window_of_nine_is_averaged_by_seven_sixty_fourths() -> None:
    graph = network((3, 3, 1), ("p", AveragePool((3, 3), (3, 3)), "x"))
    images = np.full((1, 3, 3, 1), 127 / 128)
    program = quantize(graph, images, VITIS_SCHEME)
    found = trace(program.graph, {"x": program.quantize_input(images)})["p"]
    assert found.item() == (9 * 127 * 7 + 32) >> 6


def test_a_leaky_relu_has_the_slope_of_the_unit() -> None:
    graph = network((256,), ("l", Function("leaky_relu", (0.1,)), "x"))
    images = np.arange(-128, 128).reshape(1, 256)
    for scheme, slope in (
        (VITIS_SCHEME, 26 / 256),
        (replace(VITIS_SCHEME, scale_rule="pow2"), 0.1),
    ):
        program = quantize(graph, images, scheme)
        found = trace(program.graph, {"x": program.quantize_input(images)})["l"]
        exact = np.floor(np.where(images < 0, slope * images, images) + 0.5)
        assert np.array_equal(found, exact)


def test_batches_vote() -> None:
    graph = network((2,), ("f", Matmul(), "x", np.eye(2), np.zeros(2)))
    images = np.array([[0.5, 0.1], [100.0, 1.0], [0.5, 0.1]])
    for batch, found in ((1, 7), (3, 0)):
        program = quantize(graph, images, VITIS_SCHEME, batch=batch)
        assert position(program.quantization["x"].scale[0]) == found
