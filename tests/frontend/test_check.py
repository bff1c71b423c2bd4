# SPDX-License-Identifier: Apache-2.0
"""The check after an import finds what was read wrongly, and names the first such node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intaglio.errors import VerificationError
from intaglio.frontend.builder import Imported
from intaglio.frontend.layout import Layout
from intaglio.frontend.onnx.convert import convert
from intaglio.frontend.onnx.runtime import check_onnx
from intaglio.frontend.onnx.source import SourceModel, read_onnx
from intaglio.ir.constant import Constant
from intaglio.ir.types import FLOAT32
from intaglio.ops.max_pool import MaxPool
from tests.frontend.models import Model, lenet_like


def _imported(path: Path) -> tuple[SourceModel, Imported]:
    source = read_onnx(path)
    imported = convert(source, {}).imported
    assert imported is not None
    return source, imported


def _with_constant(
    imported: Imported, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> Imported:
    graph = imported.graph
    changed = Constant(change(graph.constants[name].data.copy()), FLOAT32)
    return replace(imported, graph=replace(graph, constants={**graph.constants, name: changed}))


def _one_wrong(data: np.ndarray) -> np.ndarray:
    data.reshape(-1)[0] += 0.001
    return data


@pytest.mark.parametrize(
    ("name", "change", "node"),
    [
        ("n0.weight", _one_wrong, "conv2d 'n0' (t0)"),
        ("n0.weight", lambda w: w[:, ::-1], "conv2d 'n0' (t0)"),
        ("n0.bias", _one_wrong, "conv2d 'n0' (t0)"),
        (
            "n4.weight",
            lambda w: w.reshape(4, 4, 4, 3).transpose(0, 3, 1, 2).reshape(4, 48),
            "matmul 'n4'",
        ),
        ("n4.bias", np.zeros_like, "matmul 'n4' (t4)"),
    ],
)
def test_wrong_weights_are_found(
    tmp_path: Path, name: str, change: Callable[[np.ndarray], np.ndarray], node: str
) -> None:
    source, imported = _imported(lenet_like().save(tmp_path))
    with pytest.raises(VerificationError) as caught:
        check_onnx(source, _with_constant(imported, name, change), None)
    text = str(caught.value)
    assert text.startswith(f"{source.path} must mean the same as its graph, but {node}")
    assert " must be " in text
    assert ", not " in text


def test_a_wrong_operator_is_found_and_the_first_is_named(tmp_path: Path) -> None:
    source, imported = _imported(lenet_like().save(tmp_path))
    graph = imported.graph
    nodes = [replace(n, op=MaxPool((1, 1), (2, 2))) if n.name == "n2" else n for n in graph.nodes]
    wrong = replace(imported, graph=replace(graph, nodes=tuple(nodes)))
    with pytest.raises(VerificationError, match=r"but max_pool 'n2' \(t2\) must be"):
        check_onnx(source, _with_constant(wrong, "n4.bias", np.zeros_like), None)


def test_a_wrong_output_is_found(tmp_path: Path) -> None:
    model = Model((2, 3, 4))
    model.node("Relu", "x")
    model.node("Transpose", model.last, perm=[0, 2, 3, 1])
    source, imported = _imported(model.save(tmp_path))
    ((origin, value),) = imported.outputs
    wrong = replace(value, layout=Layout((3, 4, 2), (3, 4, 2), (1, 0, 2)))
    with pytest.raises(VerificationError, match="output 't1' must have shape"):
        check_onnx(source, replace(imported, outputs=((origin, wrong),)), None)


def test_a_value_of_another_size_is_found(tmp_path: Path) -> None:
    model = Model((2, 5, 5))
    model.node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    model.node("Relu")
    source, imported = _imported(model.save(tmp_path))
    node = imported.graph.nodes[0].name
    layouts = {**imported.layouts, node: imported.layouts[node].resized((2, 3, 3))}
    with pytest.raises(VerificationError, match=r"but max_pool 'n0' \(t0\) must have shape"):
        check_onnx(source, replace(imported, layouts=layouts), None)
    ((origin, value),) = imported.outputs
    wrong = replace(value, layout=value.layout.resized((2, 3, 3)))
    with pytest.raises(
        VerificationError, match=r"must have shape \(2, 2, 2, 2\), not \(2, 2, 3, 3"
    ):
        check_onnx(source, replace(imported, outputs=((origin, wrong),)), None)


def test_small_weights_far_below_the_largest_are_not_blamed_on_rounding(tmp_path: Path) -> None:
    model = Model((64,))
    weight = model.draw(64, 8)
    weight[:, 0] *= 1e-3
    model.node("MatMul", "x", model.constant(weight))
    source, imported = _imported(model.save(tmp_path))
    check_onnx(source, imported, None)
    with pytest.raises(VerificationError):
        check_onnx(source, _with_constant(imported, "n0.weight", _drop_first), None)


def _drop_first(weight: np.ndarray) -> np.ndarray:
    weight[0] = 0
    return weight
