# SPDX-License-Identifier: Apache-2.0
"""The layers with weights of a program, their weights in the order that most others use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.ir.graph import Graph, Node, Program
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """A convolution or dense layer, and the requantizer that alone reads it, if there is one.

    Shapes: weight [K, C, R, S] or [K, C]; of a dense layer behind an image C is in the order
    (channels, rows, columns).
    """

    node: Node
    weight: np.ndarray
    requantizer: Node | None


def weighted_sums(program: Program) -> list[WeightedSum]:
    """Return the convolutions and dense layers in order."""
    graph = program.graph
    found = []
    for node in graph.nodes:
        if not isinstance(node.op, Conv2d | Matmul):
            continue
        weight = graph.constants[node.inputs[1]].data
        if isinstance(node.op, Conv2d):
            weight = weight.transpose(0, 3, 1, 2)
        elif (image := _image(graph, node)) is not None:
            weight = turn(weight, image)
        found.append(WeightedSum(node, weight, _requantizer(graph, node)))
    return found


def turn(numbers: np.ndarray, image: tuple[int, ...]) -> np.ndarray:
    """Bring numbers for each element of an image (H, W, C) into the order (C, H, W).

    Shapes: numbers [..., H * W * C]; result likewise.
    """
    split = numbers.reshape(*numbers.shape[:-1], *image)
    return np.moveaxis(split, -1, -3).reshape(numbers.shape)


def _requantizer(graph: Graph, node: Node) -> Node | None:
    readers = graph.consumers.get(node.name, ())
    if len(readers) != 1 or node.name in graph.outputs:
        return None
    return readers[0] if isinstance(readers[0].op, Requantize | RequantizeAffine) else None


def _image(graph: Graph, node: Node) -> tuple[int, ...] | None:
    """Return the shape of the image whose elements, unmoved since, a dense layer reads."""
    before = graph.producers.get(node.inputs[0])
    while before is not None:
        shape = graph.types[before.inputs[0]].shape
        if isinstance(before.op, Flatten):
            return shape if len(shape) == 3 else None
        if before.op.rearranges or shape != graph.types[before.name].shape:
            return None
        before = graph.producers.get(before.inputs[0])
    return None
