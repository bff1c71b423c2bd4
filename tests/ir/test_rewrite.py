# SPDX-License-Identifier: Apache-2.0
"""Rules that replace nodes, and lowerings turned into nodes."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.operator import Step
from intaglio.ir.rewrite import Replacement, apply, exhaust, expand
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.matmul import Matmul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu

X = Value("x", TensorType((2,), IntType.parse("s4")))


def _chain(*ops: str) -> Graph:
    nodes, last = [], "x"
    for index, name in enumerate(ops):
        op = Relu() if name == "relu" else Clip(0.0, 3.0)
        nodes.append(Node(f"n{index}", op, (last,)))
        last = f"n{index}"
    return Graph("g", (X,), tuple(nodes), (last,), {})


def _drop_relu(graph: Graph, node: Node) -> Replacement | None:
    return Replacement(alias=node.inputs[0]) if isinstance(node.op, Relu) else None


def test_an_alias_takes_a_node_out_of_the_middle_and_the_end() -> None:
    graph = apply(_chain("relu", "relu", "clip", "relu", "relu"), _drop_relu)
    assert [(node.name, node.inputs) for node in graph.nodes] == [("n2", ("x",))]
    assert graph.outputs == ("n2",)


def test_a_graph_of_nothing_but_aliases_is_its_input() -> None:
    graph = apply(_chain("relu", "relu"), _drop_relu)
    assert (graph.nodes, graph.outputs) == ((), ("x",))


def _split_clip(graph: Graph, node: Node) -> Replacement | None:
    if not isinstance(node.op, Clip) or node.op.high <= 1:
        return None
    first = Node(f"{node.name}.{node.op.high}", Clip(0.0, 1.0), node.inputs)
    return Replacement((first, Node(node.name, Clip(0.0, node.op.high - 1), (first.name,))))


def test_exhausting_a_rule_goes_on_until_nothing_changes() -> None:
    once, all_ = apply(_chain("clip"), _split_clip), exhaust(_chain("clip"), _split_clip)
    assert len(once.nodes) == 2
    assert [node.op for node in all_.nodes] == [Clip(0.0, 1.0)] * 3
    assert all_.outputs == ("n0",)


def test_a_rule_that_finds_nothing_leaves_the_graph() -> None:
    graph = _chain("relu")
    assert exhaust(graph, _split_clip) == graph


def test_a_lowering_gets_the_names_of_its_node() -> None:
    node = Node("n", Matmul(), ("x", "w", "b"), "origin")
    one = Constant.integers(np.array([0, 1]))
    steps = [
        Step("padded", Pad((0, 0, 0, 0)), ("x",)),
        Step("sum", Matmul(), ("padded", "weight", "zero"), {"zero": one}),
    ]
    found = expand(node, steps)
    assert found.nodes == (
        Node("n.padded", Pad((0, 0, 0, 0)), ("x",)),
        Node("n", Matmul(), ("n.padded", "w", "n.zero"), "origin"),
    )
    assert found.constants == {"n.zero": one}
