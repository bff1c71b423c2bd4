# SPDX-License-Identifier: Apache-2.0
"""Weights that a model computes for itself: compared with ONNX Runtime by the import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from tests.frontend.models import Model


def _ints(model: Model, *numbers: int) -> str:
    return model.constant(np.array(numbers, np.int64))


def _slices(model: Model) -> None:
    wide = model.constant(model.draw(9, 7))
    model.node(
        "Slice",
        wide,
        _ints(model, 7, -5),
        _ints(model, -99, 6),
        _ints(model, 0, 1),
        _ints(model, -2, 2),
    )
    model.node("Transpose")
    model.node("Transpose", model.last, perm=[1, 0])


def _joins(model: Model) -> None:
    parts = [model.constant(model.draw(2, 2)) for _ in range(2)]
    model.node("Concat", *parts, axis=-2)


def _shapes(model: Model) -> None:
    base = model.constant(model.draw(2, 4))
    model.node("Shape", base)
    model.node("Gather", model.last, model.constant(np.array([1, 0])), axis=0)
    model.node("Reshape", base, model.last)


def _squeezes(model: Model) -> None:
    model.node("Unsqueeze", model.constant(model.draw(4, 2)), _ints(model, 0, 3))
    model.node("Squeeze", model.last)
    model.node("Unsqueeze", model.last, _ints(model, 1))
    model.node("Squeeze", model.last, _ints(model, -2))


def _fills(model: Model) -> None:
    value = numpy_helper.from_array(np.array([0.5], np.float32))
    model.node("ConstantOfShape", _ints(model, 4, 2), value=value)
    model.node("Expand", model.last, _ints(model, 4, 2))
    model.node("Flatten", model.last, axis=-1)


def _arithmetic(model: Model) -> None:
    model.node("Constant", model.constant(np.zeros(1)), value_floats=[1.0, -2.0])
    model.nodes[-1].ClearField("input")
    row = model.last
    model.node("Mul", model.constant(model.draw(4, 1)), row)
    model.node("Sub", model.last, model.constant(model.draw(4, 2)))
    model.node("Div", model.last, model.constant(np.float32(3)))
    model.node("Pow", model.last, model.constant(np.float32(2)))
    model.node("Sqrt")
    model.node("Neg")
    model.node("Add", model.last, row)


def _integers(model: Model) -> None:
    model.node("Div", _ints(model, -7, 7, 8, 9), _ints(model, 2, 2, -3, 3))
    model.node("Cast", model.last, to=1)
    model.node("Mul", model.last, model.constant(model.draw(2, 4)))
    model.node("Transpose", model.last, perm=[1, 0])


@pytest.mark.parametrize(
    "write", [_slices, _joins, _shapes, _squeezes, _fills, _arithmetic, _integers]
)
def test_computed_weights_are_those_of_onnx_runtime(
    tmp_path: Path, write: Callable[[Model], None]
) -> None:
    model = Model((4,))
    write(model)
    model.node("MatMul", "x", model.last)
    (node,) = load_onnx(model.save(tmp_path)).nodes
    assert node.op.name == "matmul"


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            lambda m: m.node("Sin", m.constant(m.draw(4, 2))),
            "Sin 'n0': its operands are constants, of which it is not computed here",
        ),
        (
            lambda m: m.node("Reshape", m.constant(m.draw(4, 2)), _ints(m, 3, 3)),
            "Reshape 'n0': its constant operands do not fit it: cannot reshape array",
        ),
        (
            lambda m: m.node("Div", _ints(m, 1), _ints(m, 0)),
            "Div 'n0': an integer must not be divided by 0",
        ),
        (
            lambda m: m.node("Cast", m.constant(m.draw(4, 2)), to=8),
            "Cast 'n0': a constant must be cast to numbers, not to type 8",
        ),
        (
            lambda m: m.node("Expand", m.constant(m.draw(1)), _ints(m, 1 << 40)),
            "Expand 'n0': a constant must have at most 67108864 elements, not 1099511627776",
        ),
    ],
)
def test_what_does_not_compute_is_named(
    tmp_path: Path, write: Callable[[Model], None], text: str
) -> None:
    model = Model((4,))
    write(model)
    model.node("MatMul", "x", model.last)
    with pytest.raises(ModelError) as caught:
        load_onnx(path := model.save(tmp_path))
    assert str(caught.value).startswith(f"{path}: {text}")
