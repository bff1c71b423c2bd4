# SPDX-License-Identifier: Apache-2.0
"""The ONNX file means what the network means, in one file without a trace of this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from intaglio.train.export import export_onnx
from intaglio.train.zoo.lenet5 import LeNet5


def run(path: Path, images: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path))
    scores: np.ndarray = session.run(["scores"], {"images": images.numpy()})[0]
    return scores


@pytest.mark.parametrize("count", [1, 7])
def test_onnx_runtime_agrees_with_torch(tmp_path: Path, count: int) -> None:
    model, images = LeNet5(), torch.rand(count, 1, 28, 28)
    export_onnx(model, tmp_path / "lenet5.onnx", torch.zeros(1, 1, 28, 28))
    expected = model(images).detach().numpy()
    assert np.abs(run(tmp_path / "lenet5.onnx", images) - expected).max() < 1e-4


def test_the_batch_axis_is_dynamic_and_the_file_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lenet5.onnx"
    export_onnx(LeNet5(), path, torch.zeros(1, 1, 28, 28))
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    axes = model.graph.input[0].type.tensor_type.shape.dim
    assert (axes[0].dim_param, [axis.dim_value for axis in axes[1:]]) == ("batch", [1, 28, 28])
    assert [file.name for file in path.parent.iterdir()] == ["lenet5.onnx"]
    assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()


def test_a_model_in_training_is_written_as_in_evaluation_and_goes_on_training(
    tmp_path: Path,
) -> None:
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Flatten())
    export_onnx(model, tmp_path / "model.onnx", torch.rand(2, 1, 3, 3))
    assert model.training
    images = torch.rand(4, 1, 3, 3)
    assert np.allclose(run(tmp_path / "model.onnx", images), images.flatten(1), atol=1e-4)
