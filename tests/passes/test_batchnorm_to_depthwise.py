# SPDX-License-Identifier: Apache-2.0
"""A batch normalisation that stands alone becomes a layer, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.relu import Relu
from intaglio.passes import batchnorm_to_depthwise, run_passes
from tests.ir.graphs import graphs


def _alone(*shape: int) -> Graph:
    random = np.random.default_rng(0)
    constants = {
        n: Constant(random.standard_normal(shape[-1] if shape else 1), FLOAT32) for n in ("s", "o")
    }
    nodes = (Node("n", BatchNorm(), ("x", "s", "o"), "/n"), Node("r", Relu(), ("n",)))
    return Graph("g", (Value("x", TensorType(shape, FLOAT32)),), nodes, ("r",), constants)


def test_an_image_is_convolved_channel_by_channel() -> None:
    graph = _alone(3, 4, 5)
    node, _ = run_passes(graph, [batchnorm_to_depthwise]).nodes
    assert (node.name, node.op, node.origin) == ("n", Conv2d(groups=5), "/n")
    assert node.inputs == ("x", "n.weight", "n.bias")


@pytest.mark.parametrize("shape", [(6,), (1,), (4, 3), ()])
def test_what_is_no_image_is_reshaped_and_back(shape: tuple[int, ...]) -> None:
    after = run_passes(_alone(*shape), [batchnorm_to_depthwise])
    assert [n.op.name for n in after.nodes] == ["reshape", "conv2d", "reshape", "relu"]
    assert [n.name for n in after.nodes] == ["n.image", "n.scaled", "n", "r"]
    assert after.types["n"].shape == shape


def test_a_graph_without_any_stays() -> None:
    graph = _alone(2)
    bare = Graph("g", graph.inputs, (Node("r", Relu(), ("x",)),), ("r",), {})
    assert batchnorm_to_depthwise(bare) == bare


@given(graphs(integer=False))
def test_every_graph_means_the_same_after(graph: Graph) -> None:
    after = run_passes(graph, [batchnorm_to_depthwise])
    assert not any(isinstance(node.op, BatchNorm) for node in after.nodes)
