# SPDX-License-Identifier: Apache-2.0
"""What no output needs is left out."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.passes import dead_code, run_passes


def test_dead_nodes_and_their_constants_go_and_inputs_stay() -> None:
    vector = TensorType((2,), IntType.parse("u4"))
    nodes = (
        Node("a", Relu(), ("x",)),
        Node("b", Matmul(), ("a", "w", "v")),
        Node("c", Relu(), ("b",)),
        Node("end", Relu(), ("a",)),
    )
    constants = {
        "w": Constant.integers(np.array([[1, 2]])),
        "v": Constant.integers(np.array([1])),
    }
    graph = Graph("g", (Value("x", vector), Value("unused", vector)), nodes, ("end",), constants)
    left = run_passes(graph, [dead_code])
    assert [node.name for node in left.nodes] == ["a", "end"]
    assert left.constants == {}
    assert left.inputs == graph.inputs
    assert dead_code(left) == left
