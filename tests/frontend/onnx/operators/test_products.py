# SPDX-License-Identifier: Apache-2.0
"""Matrix products, sums, differences, products and quotients, of activations and with constants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.frontend.models import Model
from tests.frontend.onnx.operators.reading import Write, operators_of, refusal, scalar

IMAGE = (3, 4, 5)


def _constant(op: str, *shape: int, first: bool = False) -> Write:
    def write(model: Model) -> None:
        constant = model.constant(model.draw(*shape, low=0.5))
        model.node(op, *([constant, "x"] if first else ["x", constant]))

    return write


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1), (1, 3, 1, 1), (5,), (4, 1), (3, 4, 5)])
def test_constants_of_any_shape_that_fits(
    tmp_path: Path, op: str, first: bool, shape: tuple[int, ...]
) -> None:
    assert "batch_norm" in operators_of(tmp_path, IMAGE, _constant(op, *shape, first=first))


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 4), (1, 1)])
def test_a_bias_of_any_shape_that_is_one_number_a_channel(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    assert operators_of(tmp_path, (3,), _square(*shape)) == ["matmul"]


@pytest.mark.parametrize("shape", [(4, 1), (4, 4)])
def test_a_bias_for_each_frame_of_a_batch_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    assert refusal(tmp_path, (3,), _square(*shape)) == (
        f"Gemm 'n0': its bias must be one number a channel, not {list(shape)}"
    )


def _square(*bias: int) -> Write:
    """Make as many results of a frame as there are frames."""

    def write(model: Model) -> None:
        model.batch = 4
        operands = model.constant(model.draw(3, 4)), model.constant(model.draw(*bias))
        model.node("Gemm", "x", *operands)

    return write


@pytest.mark.parametrize("op", ["Add", "Mul", "Max", "Pow"])
def test_a_constant_that_adds_axes_is_refused(tmp_path: Path, op: str) -> None:
    shape = (1, 1, 1, 3) if op in ("Add", "Mul") else (1, 1, 1)

    def write(model: Model) -> None:
        model.batch = 1
        model.node(op, "x", model.constant(model.draw(*shape, low=0.5)))
        model.node("Softmax", axis=1)

    assert refusal(tmp_path, (3,), write, 13) == (
        f"{op} 'n0': a constant operand must have at most the 2 axes of the other, "
        f"not be {list(shape)}"
    )


def _two(op: str) -> Write:
    """Join two branches, one channels-first and one turned there and back."""

    def write(model: Model) -> None:
        model.node("Abs", "x")
        one = model.node("Add", model.last, scalar(model, 0.5))
        model.node("Transpose", "x", perm=[0, 3, 1, 2])
        model.node("Relu")
        other = model.node("Add", model.node("Transpose", perm=[0, 2, 3, 1]), scalar(model, 0.5))
        model.node(op, other, one)

    return write


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
def test_two_activations(tmp_path: Path, op: str) -> None:
    names = operators_of(tmp_path, IMAGE, _two(op))
    assert ("mul" if op in ("Mul", "Div") else "add") in names


def _squeeze_and_excite(model: Model) -> None:
    model.node("GlobalAveragePool", "x")
    model.node("Conv", model.last, model.constant(model.draw(3, 3, 1, 1)))
    model.node("Sigmoid")
    model.node("Mul", "x", model.last)


def test_a_gate_for_each_channel_is_spread_over_the_image(tmp_path: Path) -> None:
    names = operators_of(tmp_path, IMAGE, _squeeze_and_excite)
    assert names == ["average_pool", "conv2d", "function", "upsample", "mul"]


def test_a_gate_for_each_column_too(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("ReduceMean", "x", axes=[2])
        model.node("Add", model.last, "x")

    assert operators_of(tmp_path, IMAGE, write) == ["average_pool", "upsample", "add"]


def test_many_operands(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        relu = model.node("Relu", "x")
        model.node("Sum", "x", model.constant(model.draw(3, 1, 1)), relu, "x")
        model.node("Mean", model.last, relu, "x")
        model.node("Neg")

    names = operators_of(tmp_path, IMAGE, write)
    assert names.count("add") == 4


def _gemm_with_addend(model: Model) -> None:
    model.node("Flatten", "x")
    flat = model.last
    addend = model.node("Gemm", flat, model.constant(model.draw(60, 4)))
    model.node("Gemm", flat, model.constant(model.draw(60, 4)), addend, beta=0.5, alpha=2.0)


def test_a_gemm_may_add_an_activation(tmp_path: Path) -> None:
    assert operators_of(tmp_path, IMAGE, _gemm_with_addend).count("matmul") == 2


@pytest.mark.parametrize("frame", [(4,), (3, 4), (3, 5, 4)])
def test_a_constant_matrix_multiplies_the_last_axis(tmp_path: Path, frame: tuple[int, ...]) -> None:
    def write(model: Model) -> None:
        model.node("MatMul", "x", model.constant(model.draw(4, 6)))
        model.node("Add", model.last, model.constant(model.draw(6)))
        model.node("Relu")

    names = operators_of(tmp_path, frame, write)
    assert ("matmul" if len(frame) == 1 else "conv2d") in names


def _attention(model: Model) -> None:
    """Two heads of three features over six places, as transformers have them."""
    heads = []
    for _ in range(3):
        model.node("MatMul", "x", model.constant(model.draw(6, 6)))
        model.node("Reshape", model.last, model.constant(np.array([0, 5, 2, 3])))
        heads.append(model.node("Transpose", model.last, perm=[0, 2, 1, 3]))
    model.node("MatMul", heads[0], model.node("Transpose", heads[1], perm=[0, 1, 3, 2]))
    model.node("Softmax", model.node("Div", model.last, scalar(model, 3**0.5)), axis=-1)
    model.node("Transpose", model.node("MatMul", model.last, heads[2]), perm=[0, 2, 1, 3])
    model.node("Reshape", model.last, model.constant(np.array([0, 0, -1])))
    model.node("Add", model.last, "x")


def test_attention(tmp_path: Path) -> None:
    names = operators_of(tmp_path, (5, 6), _attention)
    assert (names.count("batch_matmul"), names.count("softmax")) == (2, 1)


def test_a_normalization_may_come_anywhere(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        for frame in ((2, 30), (60,)):
            gains = [model.constant(model.draw(frame[0], low=0.1)) for _ in range(4)]
            target = model.constant(np.array([0, *frame]))
            model.node("Reshape", model.last, target)
            model.node("BatchNormalization", model.last, *gains)

    assert operators_of(tmp_path, IMAGE, write).count("batch_norm") == 2


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            _constant("Add", 7),
            "Add 'n0': a constant operand must fit a frame [3, 4, 5], not be [7]",
        ),
        (
            _constant("Add", 2, 1, 4, 5),
            "Add 'n0': a constant operand must fit a frame [3, 4, 5], not be [2, 1, 4, 5]",
        ),
        (
            lambda m: m.node("Div", "x", m.constant(np.zeros(1, np.float32))),
            "Div 'n0': the divisor must not be 0",
        ),
        (
            lambda m: m.node("MatMul", m.constant(m.draw(5, 4)), "x"),
            "MatMul 'n0': the constant matrix must be the second operand (nearest: Gemm)",
        ),
        (
            lambda m: m.node("MatMul", "x", m.constant(m.draw(3, 5, 4))),
            "MatMul 'n0': its matrix must have two axes, not [3, 5, 4]",
        ),
        (
            lambda m: m.node("MatMul", "x", m.constant(m.draw(6, 3))),
            "MatMul 'n0': a product with a constant must be of [N, .., C] and [C, K], "
            "not ['N', 3, 4, 5] and [6, 3]",
        ),
        (
            lambda m: m.node("MatMul", "x", m.node("Relu", "x")),
            "MatMul 'n1': operands must be [N, .., M, K] and [N, .., K, L], "
            "not ['N', 3, 4, 5] and ['N', 3, 4, 5]",
        ),
        (
            lambda m: m.node("Add", "x", m.node("MaxPool", "x", kernel_shape=[2, 2])),
            "Add 'n1': operands must have one shape, not [3, 4, 5] and [3, 3, 4] "
            "(nearest: give both operands the same shape before)",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, write: Write, text: str) -> None:
    assert refusal(tmp_path, IMAGE, write) == text


@pytest.mark.parametrize(("addend", "joins"), [(2.0**-10, True), (2.0**-30, False)])
def test_an_addend_joins_a_bias_where_a_float32_holds_both(
    tmp_path: Path, addend: float, joins: bool
) -> None:
    def write(model: Model) -> None:
        weight, bias = model.draw(3, 3, 1, 1), np.full(3, 1.5, np.float32)
        model.node("Conv", "x", model.constant(weight), model.constant(bias))
        model.node("Add", model.last, scalar(model, addend))

    assert operators_of(tmp_path, IMAGE, write) == ["conv2d"] + ["batch_norm"] * (not joins)
