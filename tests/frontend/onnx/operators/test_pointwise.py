# SPDX-License-Identifier: Apache-2.0
"""Functions of one number, clamps, softmax and argmax."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intaglio.frontend import inspect_onnx
from tests.frontend.models import Model
from tests.frontend.onnx.operators.reading import Write, integers, operators_of, refusal, scalar

IMAGE = (3, 4, 5)
FUNCTIONS = [
    ("Abs", {}, 17),
    ("Ceil", {}, 17),
    ("Celu", {}, 17),
    ("Cos", {}, 17),
    ("Elu", {"alpha": 0.5}, 9),
    ("Erf", {}, 13),
    ("Exp", {}, 17),
    ("Floor", {}, 17),
    ("Gelu", {}, 20),
    ("Gelu", {"approximate": "tanh"}, 20),
    ("HardSigmoid", {}, 17),
    ("HardSigmoid", {"alpha": 0.25, "beta": 0.4}, 17),
    ("HardSwish", {}, 14),
    ("LeakyRelu", {}, 7),
    ("LeakyRelu", {"alpha": 0.2}, 16),
    ("Log", {}, 17),
    ("Mish", {}, 18),
    ("Reciprocal", {}, 17),
    ("Round", {}, 17),
    ("Selu", {}, 17),
    ("Sigmoid", {}, 17),
    ("Sign", {}, 17),
    ("Sin", {}, 17),
    ("Softplus", {}, 17),
    ("Softsign", {}, 17),
    ("Sqrt", {}, 17),
    ("Tanh", {}, 17),
]


@pytest.mark.parametrize(("op", "attributes", "opset"), FUNCTIONS)
def test_functions(tmp_path: Path, op: str, attributes: dict[str, object], opset: int) -> None:
    names = operators_of(tmp_path, IMAGE, lambda m: m.node(op, "x", **attributes), opset)
    assert names == ["function"]


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (lambda m: m.node("PRelu", "x", m.constant(m.draw(1))), ["function"]),
        (
            lambda m: m.node("PRelu", "x", m.constant(m.draw(3, 1, 1))),
            ["relu", "batch_norm", "batch_norm", "add"],
        ),
        (lambda m: m.node("Pow", "x", scalar(m, 2)), ["function"]),
        (lambda m: m.node("Pow", "x", m.constant(np.int64(3))), ["function"]),
        (lambda m: m.node("Pow", m.node("Abs", "x"), scalar(m, -0.5)), ["function", "function"]),
        (lambda m: m.node("Pow", m.node("Relu", "x"), scalar(m, 1)), ["relu"]),
        (lambda m: m.node("Max", "x", scalar(m, 0)), ["relu"]),
        (lambda m: m.node("Min", scalar(m, 0.5), "x"), ["clip"]),
        (lambda m: m.node("Softmax", "x", axis=1), ["softmax"]),
        (lambda m: m.node("Softmax", "x", axis=-1), ["transpose", "softmax", "transpose"]),
        (lambda m: m.node("LogSoftmax", m.node("Flatten", "x")), None),
        (lambda m: m.node("Softmax", m.node("Relu", m.node("Flatten", "x"))), None),
    ],
)
def test_layers(tmp_path: Path, write: Write, names: list[str] | None) -> None:
    found = operators_of(tmp_path, IMAGE, write)
    assert names is None or found == names


def test_the_place_of_the_largest(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("Gemm", model.node("Flatten", "x"), model.constant(model.draw(60, 7)))
        model.node("TopK", model.last, integers(model, 1), outputs=["most", "where"])
        model.last = "where"

    assert operators_of(tmp_path, IMAGE, write) == ["flatten", "matmul", "argmax"]


def test_an_argmax_over_a_flattened_image_counts_as_the_source_does(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("ArgMax", model.node("Flatten", "x"), axis=1)

    assert operators_of(tmp_path, IMAGE, write)[-1] == "argmax"


def test_a_sign_of_nothing_is_nothing(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("Sign", model.node("Mul", "x", scalar(model, 0.0)))

    assert operators_of(tmp_path, IMAGE, write) == ["batch_norm", "function"]


@pytest.mark.parametrize(
    ("write", "opset", "text"),
    [
        (
            lambda m: m.node("Gelu", "x", approximate="most"),
            20,
            "Gelu 'n0': approximate must be none or tanh, not 'most'",
        ),
        (
            lambda m: m.node("Pow", "x", m.constant(m.draw(3, 1, 1))),
            17,
            "Pow 'n0': operand 'w0' must be one number, not an array [3, 1, 1]",
        ),
        (
            lambda m: m.node("Pow", scalar(m, 2), "x"),
            17,
            "Pow 'n0': operand 1 must come from the network's input",
        ),
        (
            lambda m: m.node("Max", "x", m.node("Neg", "x")),
            17,
            "Max 'n1': operand 't0' must be a constant",
        ),
        (
            lambda m: m.node("Celu", "x", alpha=2.0),
            17,
            "Celu 'n0': alpha must be 1, not 2 (nearest: Elu)",
        ),
        (
            lambda m: m.node("Softmax", "x", axis=1),
            11,
            "Softmax 'n0': before opset 13 it goes over all axes from its own, of which it must "
            "be the last (nearest: an export with opset_version=17)",
        ),
        (
            lambda m: m.node("ArgMax", "x", axis=2),
            17,
            "ArgMax 'n0': its axis must be that of the scores",
        ),
        (
            lambda m: m.node("TopK", "x", integers(m, 2), outputs=["a", "b"]),
            17,
            "TopK 'n0': only the place of the one largest score is computed (nearest: ArgMax)",
        ),
        (
            lambda m: m.node("Cast", "x", to=6),
            17,
            "Cast 'n0': floats must stay floats of 32 bits or more, not type 6",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, write: Write, opset: int, text: str) -> None:
    assert refusal(tmp_path, IMAGE, write, opset) == text


def _clipped_above(model: Model) -> str:
    return model.node("Clip", model.last, "", scalar(model, 0.5))


def test_an_absent_operand_reads_no_absent_result(tmp_path: Path) -> None:
    def write(model: Model) -> None:
        model.node("MaxPool", "x", outputs=["most", ""], kernel_shape=[2, 2])
        _clipped_above(model)

    assert operators_of(tmp_path, IMAGE, write) == ["max_pool", "clip"]


def test_an_absent_first_result_is_not_asked_for(tmp_path: Path) -> None:
    model = Model((5,))
    _clipped_above(model)
    model.node("TopK", model.last, integers(model, 1), outputs=["", "where"])
    report = inspect_onnx(model.save(tmp_path, outputs=["where"]))
    assert [row.became for row in report.rows] == ["n0", "n1_1"]
