# SPDX-License-Identifier: Apache-2.0
"""Even out the channels of two layers that follow each other, which changes no result.

    tail(act(head(x)))  =  (tail / s)(act((s head)(x)))      where act(s y) = s act(y) for s > 0

holds for every channel by itself behind a relu, a pool, or nothing. With the largest weight of a
channel h in the head and t in the tail, s = sqrt(t / h), within 0.1..10, and 1 where h + t < 0.1 or
either is zero: both have the same range then, and share their scales evenly. All pairs are
gone through ten times.

Source: M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
ICCV 2019, section 4.1; limits, threshold and number of steps are those of Vitis AI 3.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, rebuild
from intaglio.ir.types import FLOAT32
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.passes.check import equal_on_random_input

STEPS = 10
LIMITS = (0.1, 10.0)
#: Channels whose weights are smaller than this, head and tail together, are left alone.
THRESHOLD = 0.1


@dataclass(frozen=True)
class Pair:
    """Two layers, by their nodes, and all values from the head's own to what the tail reads."""

    head: Node
    tail: Node
    values: tuple[str, ...]


@dataclass(frozen=True)
class Equalized:
    """A graph that computes the same, and by how much the channels of its values are larger."""

    graph: Graph
    factors: Mapping[str, np.ndarray]


def equalize(graph: Graph) -> Equalized:
    """Even out all pairs of layers of a graph, proven on random input.

    Raises:
        VerificationError: the result differs.
    """
    pairs = [pair for node in graph.nodes if (pair := _pair(graph, node)) is not None]
    weights = {n: graph.constants[n].data.astype(np.float64) for n in graph.constants}
    total = {pair.head.name: np.ones(len(weights[pair.head.inputs[1]])) for pair in pairs}
    for _ in range(STEPS):
        for pair in pairs:
            total[pair.head.name] *= _step(pair, weights)
    factors = {
        value: np.resize(total[pair.head.name], graph.types[value].channels)
        for pair in pairs
        for value in pair.values
    }
    changed = {name for pair in pairs for n in (pair.head, pair.tail) for name in n.inputs[1:]}
    constants = dict(graph.constants) | {
        name: Constant(weights[name], FLOAT32) for name in sorted(changed)
    }
    found = rebuild(graph, graph.nodes, constants)
    equal_on_random_input(graph, _renamed(found, factors), "equalizing channels")
    return Equalized(found, factors)


def _pair(graph: Graph, head: Node) -> Pair | None:
    """Follow what alone reads a layer, as long as it scales with its operand, to the next layer."""
    if not isinstance(head.op, Conv2d | ConvTranspose2d | Matmul) or _shared(graph, head):
        return None
    values = [head.name]
    while values[-1] not in graph.outputs:
        readers = graph.consumers.get(values[-1], ())
        if len(readers) != 1:
            return None
        node = readers[0]
        if isinstance(node.op, Conv2d | Matmul):
            padded = isinstance(node.op, Conv2d) and node.op.pad_value != 0
            return None if padded or _shared(graph, node) else Pair(head, node, tuple(values))
        if not isinstance(node.op, Relu | MaxPool | AveragePool | Flatten):
            return None
        values.append(node.name)
    return None


def _shared(graph: Graph, node: Node) -> bool:
    """Tell whether another layer has the same constants."""
    return any(len(graph.consumers[name]) > 1 for name in node.inputs[1:])


def _step(pair: Pair, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Scale a pair's weights in place, and return by how much. Shapes: result [K]."""
    head, bias = pair.head.inputs[1:]
    tail = pair.tail.inputs[1]
    rows, channels = len(weights[head]), _by_channel(pair.tail, weights[tail])
    large = np.abs(weights[head]).reshape(rows, -1).max(axis=1)
    # Behind a flattening each channel comes once for every pixel, the channels fastest.
    used = np.abs(channels).max(axis=1).reshape(-1, rows).max(axis=0)
    alone = (large + used < THRESHOLD) | (large == 0.0) | (used == 0.0)
    factor = np.sqrt(np.where(alone, 1.0, used) / np.where(alone, 1.0, large))
    factor = np.where(alone, 1.0, np.clip(factor, *LIMITS))
    weights[head] = weights[head] * factor.reshape(-1, *[1] * (weights[head].ndim - 1))
    weights[bias] = weights[bias] * factor
    each = np.resize(factor, len(channels))
    weights[tail] = _from_channels(pair.tail, channels / each[:, None], weights[tail].shape)
    return factor


def _by_channel(node: Node, weight: np.ndarray) -> np.ndarray:
    """Return a layer's weights by the channel that they multiply. Shapes: result [C, ...]."""
    groups = node.op.groups if isinstance(node.op, Conv2d) else 1
    split = weight.reshape(groups, len(weight) // groups, -1, weight.shape[-1])
    return split.transpose(0, 3, 1, 2).reshape(groups * weight.shape[-1], -1)


def _from_channels(node: Node, channels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `_by_channel`."""
    groups = node.op.groups if isinstance(node.op, Conv2d) else 1
    middle = math.prod(shape[1:-1])
    split = channels.reshape(groups, shape[-1], shape[0] // groups, middle)
    return split.transpose(0, 2, 3, 1).reshape(shape)


def _renamed(graph: Graph, factors: Mapping[str, np.ndarray]) -> Graph:
    """Return the graph with other names for the values that are scaled, which none equals."""
    names = {name: f"{name}.equalized" for name in factors}
    nodes = [
        replace(n, name=names.get(n.name, n.name), inputs=tuple(names.get(i, i) for i in n.inputs))
        for n in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))
