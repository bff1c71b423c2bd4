# SPDX-License-Identifier: Apache-2.0
"""Reading a model of a few nodes: what graph it gives, or why none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from intaglio.ir.execute import trace
from tests.frontend.models import Model

Write = Callable[[Model], object]


def integers(model: Model, *numbers: int) -> str:
    """Add a constant vector of integers."""
    return model.constant(np.array(numbers, np.int64))


def scalar(model: Model, number: float) -> str:
    """Add a constant number."""
    return model.constant(np.float32(number))


def operators_of(
    tmp_path: Path, frame: tuple[int, ...], write: Write, opset: int = 17
) -> list[str]:
    """Import a model, which compares its nodes with ONNX Runtime's; then compare its end anew."""
    model = Model(frame, opset)
    write(model)
    path = model.save(tmp_path)
    graph = load_onnx(path)
    proto = onnx.load(path)
    proto.ir_version = 8
    proto.graph.output[0].ClearField("type")  # whatever it is
    frames = 2 if model.batch == "N" else model.batch
    x = np.random.default_rng(9).uniform(0.1, 1.0, (frames, *frame)).astype(np.float32)
    (expected,) = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": x})
    (value,) = graph.inputs
    ours = x.transpose(0, 2, 3, 1) if graph.channels_first and x.ndim == 4 else x
    found = trace(graph, {value.name: ours})[graph.outputs[0]]
    if found.ndim == 4 and found.shape != expected.shape:
        found = found.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)
    return [node.op.name for node in graph.nodes]


def refusal(tmp_path: Path, frame: tuple[int, ...], write: Write, opset: int = 17) -> str:
    """Return why a model is refused."""
    model = Model(frame, opset)
    write(model)
    path = model.save(tmp_path)
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")
