# SPDX-License-Identifier: Apache-2.0
"""What has no counterpart says why, and what comes nearest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from intaglio.errors import ModelError
from intaglio.frontend import inspect_onnx, load_onnx
from intaglio.frontend.conversion import Fate
from tests.frontend.models import Model

QUANTIZED = (
    "it is a quantized operator, and integers are not read from files yet "
    "(nearest: the float model it was made from, quantized here)"
)


def _save(path: Path, model: Model, domain: str) -> Path:
    """Put the first node of a model into a domain and write the model."""
    proto = model.proto()
    proto.graph.node[0].domain = domain
    proto.opset_import.append(helper.make_opsetid(domain, 1))
    onnx.save(proto, path)
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("domain", "op"),
    [
        ("", "QuantizeLinear"),
        ("", "QLinearConv"),
        ("", "MatMulInteger"),
        ("com.microsoft", "QLinearAdd"),
        ("com.microsoft", "QGemm"),
        ("onnx.brevitas", "Quant"),
        ("finn.custom_op.general", "MultiThreshold"),
        ("finn.custom_op.general", "Quant"),
        ("qonnx.custom_op.general", "IntQuant"),
        ("qonnx.custom_op.channels_last", "Conv"),
    ],
)
def test_quantized_operators_ask_for_the_float_model(tmp_path: Path, domain: str, op: str) -> None:
    model = Model((2, 4, 4))
    model.node(op, "x", model.constant(np.float32(0.5)), model.constant(np.float32(0)))
    path = _save(tmp_path / "m.onnx", model, domain) if domain else model.save(tmp_path)
    title = f"{domain}.{op}" if domain else op
    assert _refusal(path) == f"{title} 'n0': {QUANTIZED}"


def test_quantized_weights_are_refused_too(tmp_path: Path) -> None:
    model = Model((4,))
    weight = model.constant(np.ones((4, 2), np.int8))
    model.node("DequantizeLinear", weight, model.constant(np.float32(0.5)))
    model.node("MatMul", "x", model.last)
    path = model.save(tmp_path)
    assert _refusal(path) == f"DequantizeLinear 'n0': {QUANTIZED}"
    fates = [row.fate for row in inspect_onnx(path).rows]
    assert fates == [Fate.UNSUPPORTED, Fate.UNJUDGED]


@pytest.mark.parametrize(
    ("domain", "op", "text"),
    [
        ("", "LSTM", "recurrent layers are not computed (nearest: Conv over steps as image rows)"),
        (
            "",
            "Loop",
            "a network must not branch or loop "
            "(nearest: an export with fixed sizes and for inference)",
        ),
        ("", "LRN", "it has no counterpart here (nearest: BatchNormalization, or leave it out "),
        ("", "Fantasy", "it has no counterpart here"),
        (
            "com.example",
            "Mine",
            "it is not of the standard domain but of 'com.example' "
            "(nearest: an export of standard operators)",
        ),
    ],
)
def test_other_operators_name_the_nearest(tmp_path: Path, domain: str, op: str, text: str) -> None:
    model = Model((2, 4, 4))
    model.node(op, "x")
    path = _save(tmp_path / "m.onnx", model, domain) if domain else model.save(tmp_path)
    title = f"{domain}.{op}" if domain else op
    assert _refusal(path).startswith(f"{title} 'n0': {text}")
