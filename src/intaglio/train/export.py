# SPDX-License-Identifier: Apache-2.0
"""A trained network as one self-contained ONNX file."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from intaglio.artifact import write_atomic
from intaglio.train.metrics import evaluating


def export_onnx(model: nn.Module, path: Path, example: torch.Tensor) -> None:
    """Write a network as float ONNX, in evaluation mode, the file whole or not at all.

    The input is named `images`, the result `scores`, the batch axis `batch`.

    Shapes: example [N, C, H, W], any N; its values do not matter.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        evaluating(model),
        warnings.catch_warnings(),
    ):
        file = Path(folder) / path.name
        # torch deprecates its first exporter. The second takes ten times as long, logs,
        # and writes this machine's paths into the file.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (example,),
            file,
            dynamo=False,
            input_names=["images"],
            output_names=["scores"],
            dynamic_axes={"images": {0: "batch"}, "scores": {0: "batch"}},
        )
        write_atomic(path, file.read_bytes())
