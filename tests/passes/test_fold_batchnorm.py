# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation disappears into the layer before it, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.add import Add
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.passes import fold_batchnorm, run_passes
from tests.ir.graphs import graphs

RANDOM = np.random.default_rng(0)


def _floats(*shape: int) -> Constant:
    return Constant(RANDOM.standard_normal(shape), FLOAT32)


def _conv_bn(*extra: Node, output: str = "bn") -> Graph:
    nodes = (
        Node("conv", Conv2d((1, 1), (1, 0, 1, 0)), ("x", "w", "b"), "conv out"),
        Node("bn", BatchNorm(), ("conv", "s", "o"), "bn out"),
        *extra,
    )
    constants = {"w": _floats(4, 3, 2, 2), "b": _floats(4), "s": _floats(4), "o": _floats(4)}
    x = Value("x", TensorType((5, 6, 2), FLOAT32))
    return Graph("g", (x,), nodes, (output,), constants)


def test_a_convolution_takes_scale_and_offset() -> None:
    graph = _conv_bn()
    folded = run_passes(graph, [fold_batchnorm])
    (node,) = folded.nodes
    assert (node.name, node.op, node.origin) == ("bn", graph.nodes[0].op, "bn out")
    assert sorted(folded.constants) == ["bn.bias", "bn.weight"]
    scale = graph.constants["s"].data[:, None, None, None]
    expected = (graph.constants["w"].data.astype(np.float64) * scale).astype(np.float32)
    np.testing.assert_array_equal(folded.constants["bn.weight"].data, expected)


def test_a_transposed_convolution_takes_scale_and_offset() -> None:
    nodes = (
        Node("conv", ConvTranspose2d((2, 2), groups=2), ("x", "w", "b")),
        Node("bn", BatchNorm(), ("conv", "s", "o")),
    )
    constants = {"w": _floats(4, 3, 2, 1), "b": _floats(4), "s": _floats(4), "o": _floats(4)}
    x = Value("x", TensorType((5, 6, 2), FLOAT32))
    folded = run_passes(Graph("g", (x,), nodes, ("bn",), constants), [fold_batchnorm])
    assert [(node.name, node.op) for node in folded.nodes] == [("bn", nodes[0].op)]


def test_a_dense_layer_takes_a_whole_chain() -> None:
    nodes = (
        Node("fc", Matmul(), ("x", "w", "b")),
        Node("bn1", BatchNorm(), ("fc", "s", "o")),
        Node("bn2", BatchNorm(), ("bn1", "o", "s")),
        Node("end", Relu(), ("bn2",)),
    )
    constants = {"w": _floats(4, 3), "b": _floats(4), "s": _floats(4), "o": _floats(4)}
    graph = Graph("g", (Value("x", TensorType((3,), FLOAT32)),), nodes, ("end",), constants)
    assert [n.op.name for n in run_passes(graph, [fold_batchnorm]).nodes] == ["matmul", "relu"]


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_behind_takes_what_the_layer_before_cannot(groups: int) -> None:
    nodes = (
        Node("relu", Relu(), ("x",)),
        Node("bn", BatchNorm(), ("relu", "s", "o")),
        Node("conv", Conv2d((1, 2), groups=groups), ("bn", "w", "b"), "conv out"),
    )
    constants = {"s": _floats(4), "o": _floats(4), "w": _floats(6, 2, 3, 4 // groups)}
    constants["b"] = _floats(6)
    x = Value("x", TensorType((5, 6, 4), FLOAT32))
    folded = run_passes(Graph("g", (x,), nodes, ("conv",), constants), [fold_batchnorm])
    assert [(n.name, n.op) for n in folded.nodes] == [("relu", Relu()), ("conv", nodes[2].op)]
    assert folded.nodes[1].inputs == ("relu", "conv.bn.weight", "conv.bn.bias")
    assert folded.nodes[1].origin == "conv out"


def test_a_dense_layer_behind_takes_it_too() -> None:
    nodes = (
        Node("bn1", BatchNorm(), ("x", "s", "o")),
        Node("bn2", BatchNorm(), ("bn1", "o", "s")),
        Node("fc", Matmul(), ("bn2", "w", "b")),
    )
    constants = {"w": _floats(4, 3), "b": _floats(4), "s": _floats(3), "o": _floats(3)}
    graph = Graph("g", (Value("x", TensorType((3,), FLOAT32)),), nodes, ("fc",), constants)
    (node,) = run_passes(graph, [fold_batchnorm]).nodes
    assert (node.name, node.op) == ("fc", Matmul())


def test_a_convolution_that_pads_takes_a_scale_without_an_offset() -> None:
    nodes = (
        Node("bn", BatchNorm(), ("x", "s", "o")),
        Node("conv", Conv2d(padding=(1, 0, 1, 2)), ("bn", "w", "b")),
    )
    constants = {"s": _floats(2), "o": Constant(np.zeros(2), FLOAT32), "w": _floats(3, 3, 3, 2)}
    constants["b"] = _floats(3)
    x = Value("x", TensorType((5, 6, 2), FLOAT32))
    graph = Graph("g", (x,), nodes, ("conv",), constants)
    assert len(run_passes(graph, [fold_batchnorm]).nodes) == 1
    sevens = replace(nodes[1], op=Conv2d(padding=(1, 0, 1, 2), pad_value=7))
    graph = Graph("g", (x,), (nodes[0], sevens), ("conv",), constants)
    assert fold_batchnorm(graph) == graph


@pytest.mark.parametrize("case", ["padded", "read twice", "output"])
def test_a_layer_behind_takes_nothing_it_would_change(case: str) -> None:
    padding = (1, 0, 0, 0) if case == "padded" else (0, 0, 0, 0)
    nodes = [
        Node("bn", BatchNorm(), ("x", "s", "o")),
        Node("conv", Conv2d(padding=padding), ("bn", "w", "b")),
    ]
    if case == "read twice":
        nodes.append(Node("sum", Add(), ("conv", "bn")))
    outputs = ("conv", "bn") if case == "output" else (nodes[-1].name,)
    constants = {"w": _floats(2, 1, 1, 2), "b": _floats(2), "s": _floats(2), "o": _floats(2)}
    if case == "padded":
        constants["w"] = _floats(2, 2, 1, 2)
    x = Value("x", TensorType((3, 3, 2), FLOAT32))
    graph = Graph("g", (x,), tuple(nodes), outputs, constants)
    assert fold_batchnorm(graph) == graph


@pytest.mark.parametrize(
    "graph",
    [
        _conv_bn(Node("sum", Add(), ("bn", "conv")), output="sum"),
        Graph(
            "g",
            (Value("x", TensorType((2,), FLOAT32)),),
            (Node("r", Relu(), ("x",)), Node("bn", BatchNorm(), ("r", "s", "s"))),
            ("bn",),
            {"s": _floats(2)},
        ),
    ],
    ids=["read twice", "after relu"],
)
def test_what_cannot_be_folded_stays(graph: Graph) -> None:
    assert fold_batchnorm(graph) == graph


def test_a_layer_that_is_an_output_stays() -> None:
    graph = _conv_bn()
    both = Graph(graph.name, graph.inputs, graph.nodes, ("bn", "conv"), graph.constants)
    assert fold_batchnorm(both) == both


def test_a_folded_weight_must_stay_a_float() -> None:
    graph = _conv_bn()
    huge = Constant(np.full(4, 3e38), FLOAT32)
    constants = {**graph.constants, "w": Constant(np.full((4, 3, 2, 2), 9.0), FLOAT32), "s": huge}
    with pytest.raises(ModelError) as caught:
        fold_batchnorm(Graph("g", graph.inputs, graph.nodes, ("bn",), constants))
    assert str(caught.value) == (
        "batch_norm 'bn' (bn out) cannot be folded into conv2d 'conv' (conv out): "
        "a constant must be finite, not NaN or infinite"
    )


@given(graphs(integer=False))
def test_every_graph_means_the_same_after(graph: Graph) -> None:
    folded = run_passes(graph, [fold_batchnorm])
    for node in folded.nodes:
        maker = folded.producers.get(node.inputs[0])
        if isinstance(node.op, BatchNorm) and maker is not None:
            assert not isinstance(maker.op, Conv2d) or len(folded.consumers[maker.name]) > 1
