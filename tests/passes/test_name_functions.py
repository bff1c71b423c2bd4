# SPDX-License-Identifier: Apache-2.0
"""Functions that are written out get their name, whatever the writing; others stay."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from intaglio.frontend import load_onnx
from intaglio.ir.graph import Graph
from intaglio.ops.function import Function
from tests.frontend.models import Model


def _number(model: Model, number: float) -> str:
    return model.constant(np.float32(number))


def _gelu(model: Model) -> None:
    """As torch exports it before opset 20."""
    model.node("Erf", model.node("Div", "x", _number(model, math.sqrt(2))))
    model.node("Mul", "x", model.node("Add", model.last, _number(model, 1)))
    model.node("Mul", model.last, _number(model, 0.5))


def _gelu_of_half(model: Model) -> None:
    """As others export it: the half first."""
    half = model.node("Mul", "x", _number(model, 0.5))
    model.node("Erf", model.node("Mul", "x", _number(model, math.sqrt(0.5))))
    model.node("Mul", half, model.node("Add", _number(model, 1), model.last))


def _gelu_tanh(model: Model) -> None:
    cube = model.node("Mul", model.node("Pow", "x", _number(model, 3)), _number(model, 0.044715))
    inner = model.node("Mul", model.node("Add", "x", cube), _number(model, math.sqrt(2 / math.pi)))
    model.node("Add", model.node("Tanh", inner), _number(model, 1))
    model.node("Mul", model.node("Mul", "x", model.last), _number(model, 0.5))


def _silu(model: Model) -> None:
    model.node("Mul", "x", model.node("Sigmoid", "x"))


def _hard_swish(model: Model) -> None:
    inner = model.node("Add", "x", _number(model, 3))
    model.node("Clip", inner, _number(model, 0), _number(model, 6))
    model.node("Div", model.node("Mul", "x", model.last), _number(model, 6))


def _hard_swish_of_one(model: Model) -> None:
    model.node("Mul", model.node("HardSigmoid", "x", alpha=1 / 6, beta=0.5), "x")


def _mish(model: Model) -> None:
    model.node("Mul", model.node("Tanh", model.node("Softplus", "x")), "x")


def _square(model: Model) -> None:
    model.node("Mul", "x", "x")


def _graph(tmp_path: Path, write: Callable[[Model], None]) -> Graph:
    model = Model((3, 4, 5))
    write(model)
    return load_onnx(model.save(tmp_path))


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (_gelu, "gelu"),
        (_gelu_of_half, "gelu"),
        (_gelu_tanh, "gelu_tanh"),
        (_silu, "silu"),
        (_hard_swish, "hard_swish"),
        (_hard_swish_of_one, "hard_swish"),
        (_mish, "mish"),
        (_square, "square"),
    ],
)
def test_functions_get_their_name(
    tmp_path: Path, write: Callable[[Model], None], kind: str
) -> None:
    (node,) = _graph(tmp_path, write).nodes
    assert node.op == Function(kind)


def test_the_value_keeps_its_name_and_origin(tmp_path: Path) -> None:
    graph = _graph(tmp_path, _silu)
    assert [(node.name, node.origin) for node in graph.nodes] == [("n1", "t1")]


def _clamped(model: Model) -> None:
    """Equal to a silu up to 50."""
    _silu(model)
    model.node("Clip", model.last, "", _number(model, 50))


def _gated(model: Model) -> None:
    """Two values decide it."""
    model.node("Mul", "x", model.node("Sigmoid", model.node("MaxPool", "x", kernel_shape=[1, 1])))


def _scaled_by_channel(model: Model) -> None:
    gain = model.constant(np.array([1, 1, 2], np.float32).reshape(3, 1, 1))
    model.node("Mul", "x", model.node("Sigmoid", model.node("Mul", "x", gain)))


def _nearly(model: Model) -> None:
    model.node("Mul", "x", model.node("Sigmoid", model.node("Mul", "x", _number(model, 1.001))))


@pytest.mark.parametrize(
    ("write", "count"), [(_clamped, 2), (_gated, 3), (_scaled_by_channel, 3), (_nearly, 3)]
)
def test_what_differs_anywhere_stays(
    tmp_path: Path, write: Callable[[Model], None], count: int
) -> None:
    assert len(_graph(tmp_path, write).nodes) == count
