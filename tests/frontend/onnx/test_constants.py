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


def _ranges(model: Model) -> None:
    numbers = (model.constant(np.float32(n)) for n in (0, 2, 0.25))
    model.node("Range", *numbers)
    model.node("Reshape", model.last, _ints(model, 4, 2))


def _normalized(model: Model) -> None:
    """The weight normalization of torch: g * v / |v|."""
    direction = model.constant(model.draw(4, 2))
    model.node("ReduceL2", direction, axes=[0], keepdims=1)
    model.node("Div", direction, model.last)
    model.node("Mul", model.last, model.constant(model.draw(1, 2)))


def _chosen(model: Model) -> None:
    wide = model.constant(model.draw(4, 2))
    model.node("Greater", wide, model.constant(np.float32(0)))
    model.node("Where", model.last, wide, model.constant(np.float32(-0.5)))
    model.node(
        "Clip", model.last, model.constant(np.float32(-0.4)), model.constant(np.float32(0.9))
    )
    model.node(
        "ScatterND",
        model.last,
        model.constant(np.array([[1], [2]])),
        model.constant(model.draw(2, 2)),
    )


def _repeated(model: Model) -> None:
    model.node("Tile", model.constant(model.draw(2, 1)), _ints(model, 2, 1))
    model.node("Pad", model.last, _ints(model, 0, 0, 0, 1), model.constant(np.float32(0.25)))
    model.node("Trilu")
    model.node("CumSum", model.last, model.constant(np.int64(0)))


def _split(model: Model) -> None:
    model.node(
        "Split", model.constant(model.draw(4, 5)), _ints(model, 2, 2, 1), outputs="abc", axis=1
    )
    model.node("Sub", "b", "a")


def _multiplied(model: Model) -> None:
    """Two matrices in place of one, as low-rank fine-tuning leaves them."""
    model.node("MatMul", model.constant(model.draw(4, 3)), model.constant(model.draw(3, 2)))
    model.node("Tanh")
    model.node("Erf")
    model.node("Max", model.last, model.constant(np.float32(-0.5)))


def _largest(model: Model) -> None:
    model.node("TopK", model.constant(model.draw(4, 5)), _ints(model, 2), outputs=["most", "where"])
    model.node("Cast", "where", to=1)
    model.node("Add", model.last, "most")


@pytest.mark.parametrize(
    "write",
    [
        _slices,
        _joins,
        _shapes,
        _squeezes,
        _fills,
        _arithmetic,
        _integers,
        _ranges,
        _normalized,
        _chosen,
        _repeated,
        _split,
        _multiplied,
        _largest,
    ],
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
            lambda m: m.node("Det", m.constant(m.draw(4, 2))),
            "Det 'n0': its operands are constants, of which it is not computed here",
        ),
        (
            lambda m: m.node("Reshape", m.constant(m.draw(4, 2)), _ints(m, 3, 3)),
            "Reshape 'n0': its constant operands do not fit it: cannot reshape array",
        ),
        (
            lambda m: m.node("Div", _ints(m, 1), _ints(m, 0)),
            "Div 'n0': an integer must not be divided by 0, by -1 or by a size of an activation",
        ),
        (
            lambda m: m.node("Mod", _ints(m, -(1 << 63)), _ints(m, -1)),
            "Mod 'n0': an integer must not be divided by 0, by -1 or by a size of an activation",
        ),
        (
            lambda m: (m.node("Shape", "x"), m.node("Div", _ints(m, 8, 4), m.last)),
            "Div 'n1': an integer must not be divided by 0, by -1 or by a size of an activation",
        ),
        (
            lambda m: m.node(
                "MatMul",
                m.constant(np.ones((4, 2))[:, :1].astype(np.float16)),
                m.constant(np.ones((1, 2), np.float16)),
            ),
            "MatMul 'n0': a product of constants must be of floats of 32 or 64 bits",
        ),
        (
            lambda m: m.node(
                "GatherND",
                m.constant(np.zeros((1 << 9, 1 << 9), np.float32)),
                m.constant(np.zeros((1, 1), np.int64)),
            ),
            "GatherND 'n0': the constants that a model computes must be fewer in all",
        ),
        (
            lambda m: (m.node("ConstantOfShape", _ints(m, 1 << 25)), m.node("Neg"), m.node("Neg")),
            "Neg 'n2': the constants that a model computes must be fewer in all",
        ),
        (
            lambda m: m.node("Cast", m.constant(m.draw(4, 2)), to=8),
            "Cast 'n0': a constant must be an array of numbers",
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


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 12, 13])
@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_shares_are_those_of_their_opset(
    tmp_path: Path, op: str, opset: int, axis: int | None
) -> None:
    """Up to opset 12 the default is axis 1, and what is behind an axis belongs to it."""
    model = Model((2, 3), opset)
    shares = model.node(
        op, model.constant(model.draw(1, 2, 3)), **({} if axis is None else {"axis": axis})
    )
    model.node("Mul", "x", shares)
    path = model.save(tmp_path)
    if opset == 13 or axis == 2:
        load_onnx(path)
    else:
        with pytest.raises(ModelError, match="before opset 13 it goes over all axes from its own"):
            load_onnx(path)
