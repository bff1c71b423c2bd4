# SPDX-License-Identifier: Apache-2.0
"""Lowering ends in core operators and changes no bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.relu import Relu
from intaglio.passes import lower, run_passes
from tests.ir.graphs import graphs


@given(graphs(integer=True))
def test_every_graph_is_lowered_to_core_operators_bit_for_bit(graph: Graph) -> None:
    lowered = run_passes(graph, [lower])
    for node in lowered.nodes:
        assert node.op.lower(lowered.operand_types(node)) is None
    assert {n.name for n in graph.nodes} <= {n.name for n in lowered.nodes}


def test_padding_becomes_a_node_of_its_own() -> None:
    x = Value("x", TensorType((3, 3, 1), IntType.parse("u4")))
    node = Node("c", Conv2d((1, 1), (1, 1, 1, 1), 7), ("x", "w", "b"), "source")
    constants = {
        "w": Constant.integers(np.ones((1, 3, 3, 1), int)),
        "b": Constant.integers(np.zeros(1, int)),
    }
    lowered = run_passes(Graph("g", (x,), (node,), ("c",), constants), [lower])
    pad, conv = lowered.nodes
    assert (pad.name, pad.op.attributes()) == ("c.padded", {"padding": [1, 1, 1, 1], "value": 7})
    assert (conv.name, conv.origin, conv.inputs) == ("c", "source", ("c.padded", "w", "b"))


def test_constants_are_made_for_the_smaller_operators() -> None:
    x = Value("x", TensorType((3, 3, 1), IntType.parse("u4")))
    node = Node("t", ConvTranspose2d((2, 1)), ("x", "w", "b"))
    constants = {
        "w": Constant.integers(np.arange(1, 4).reshape(1, 3, 1, 1)),
        "b": Constant.integers(np.array([7])),
    }
    lowered = run_passes(Graph("g", (x,), (node,), ("t",), constants), [lower])
    assert sorted(lowered.constants) == ["t.biases", "t.kernels"]
    assert lowered.constants["t.kernels"].data.ravel().tolist() == [3, 1, 0, 2]
    assert lowered.constants["t.biases"].data.tolist() == [7, 7]


def test_a_float_graph_is_refused() -> None:
    x = Value("x", TensorType((2,), FLOAT32))
    graph = Graph("g", (x,), (Node("y", Relu(), ("x",)),), ("y",), {})
    with pytest.raises(ModelError) as caught:
        lower(graph)
    assert str(caught.value) == "a graph to lower must be integer, not 'x' f32[2]: quantize it"
