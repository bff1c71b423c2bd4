# SPDX-License-Identifier: Apache-2.0
"""A network of three layers as an ONNX file, data for it, and the command line in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from intaglio.cli import main

IMAGE = (1, 8, 8)
CLASSES = 5
IMAGES = 12


def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    shapes = {"w1": (4, 1, 3, 3), "b1": (4,), "w2": (CLASSES, 36), "b2": (CLASSES,)}
    return {name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}


def nodes() -> list[Any]:
    return [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], name="c1"),
        helper.make_node("Relu", ["c1"], ["r1"], name="r1"),
        helper.make_node("MaxPool", ["r1"], ["p1"], name="p1", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p1"], ["f1"], name="f1"),
        helper.make_node("Gemm", ["f1", "w2", "b2"], ["scores"], name="fc", transB=1),
    ]


def write_model(
    path: Path,
    *,
    layers: list[Any] | None = None,
    parameters: dict[str, np.ndarray] | None = None,
    sizes: tuple[int | str, ...] = IMAGE,
    classes: int = CLASSES,
) -> Path:
    """Write a network from `image` to `scores`; the small one where nothing else is said."""
    arrays = weights() if parameters is None else parameters
    graph = helper.make_graph(
        nodes() if layers is None else layers,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *sizes])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def write_data(path: Path, *, sizes: tuple[int, ...] = IMAGE, count: int = IMAGES) -> Path:
    """Write images and labels."""
    random = np.random.default_rng(3)
    images = random.random((count, *sizes), dtype=np.float32)
    np.savez(path, images=images, labels=random.integers(0, CLASSES, count))
    return path


def intaglio(*words: object) -> int:
    """Run a command as the shell would and return its exit status."""
    return main([str(word) for word in words])
