# SPDX-License-Identifier: Apache-2.0
"""What has no counterpart says why, and what comes nearest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from tests.frontend.models import Model

QUANTIZED = (
    "it is a quantized operator of a kind that is not read "
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
        ("", "DynamicQuantizeLinear"),
        ("", "MatMulInteger"),
        ("com.microsoft", "QLinearSigmoid"),
        ("qonnx.custom_op.general", "FloatQuant"),
        ("qonnx.custom_op.channels_last", "Conv"),
    ],
)
def test_quantized_operators_ask_for_the_float_model(tmp_path: Path, domain: str, op: str) -> None:
    model = Model((2, 4, 4))
    model.node(op, "x", model.constant(np.float32(0.5)), model.constant(np.float32(0)))
    path = _save(tmp_path / "m.onnx", model, domain) if domain else model.save(tmp_path)
    title = f"{domain}.{op}" if domain else op
    assert _refusal(path) == f"{title} 'n0': {QUANTIZED}"


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
