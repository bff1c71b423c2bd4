# SPDX-License-Identifier: Apache-2.0
"""Few bits on real digits: what schemes are for, measured on a network that needs no training."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from intaglio.ir.execute import run, run_program, trace
from intaglio.ir.graph import Graph
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.train.data import digits
from tests.quantize.networks import Layer, network, normal

HIDDEN = 200


@cache
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    found = digits()
    images = [array.transpose(0, 2, 3, 1) for array in (found.train_images, found.test_images)]
    return images[0], found.train_labels, images[1], found.test_labels


@cache
def classifier() -> Graph:
    """Random layers, and a last one that is solved for: least squares on the training images."""
    layers: tuple[Layer, ...] = (
        ("c1", Conv2d((2, 2)), "x", normal(1, 12, 5, 5, 1) / 3, normal(2, 12) / 4),
        ("r1", Relu(), "c1"),
        ("p1", MaxPool((2, 2), (2, 2)), "r1"),
        ("flat", Flatten(), "p1"),
        ("f2", Matmul(), "flat", normal(3, HIDDEN, 432) / 20, normal(4, HIDDEN) / 4),
        ("r2", Relu(), "f2"),
    )
    images, labels, _, _ = data()
    features = trace(network((28, 28, 1), *layers), {"x": images})["r2"].astype(np.float64)
    features = np.hstack([features, np.ones((len(features), 1))])
    gram = features.T @ features + 0.1 * np.eye(HIDDEN + 1)
    solved = np.linalg.solve(gram, features.T @ np.eye(10)[labels]).T
    return network((28, 28, 1), *layers, ("f3", Matmul(), "r2", solved[:, :-1], solved[:, -1]))


def accuracy(scheme: Scheme | None) -> float:
    graph, (training, _, images, labels) = classifier(), data()
    found = (
        run(graph, images)
        if scheme is None
        else run_program(quantize(graph, training[:512], scheme), images)
    )
    return float((found.argmax(axis=1) == labels).mean())


@pytest.mark.parametrize(
    ("name", "loss"),
    [("int8", 0.01), ("affine8", 0.01), ("vitis", 0.01), ("w8a8", 0.01), ("w4a4", 0.02)],
)
def test_accuracy_stays(name: str, loss: float) -> None:
    assert accuracy(None) > 0.95
    assert accuracy(Scheme.named(name)) >= accuracy(None) - loss


@pytest.mark.parametrize(("name", "gain"), [("w4a4", 0.05), ("w3a3", 0.4), ("w2a3", 0.5)])
@pytest.mark.parametrize("rounding", ["adaround", "gptq"])
def test_data_and_time_buy_accuracy_at_few_bits(name: str, gain: float, rounding: str) -> None:
    scheme = Scheme.named(name)
    plain = replace(Scheme(), weights=scheme.weights, activations=scheme.activations)
    assert accuracy(replace(scheme, rounding=rounding)) >= accuracy(plain) + gain  # type: ignore[arg-type]
