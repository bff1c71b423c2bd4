# SPDX-License-Identifier: Apache-2.0
"""A graph is right once it is constructed, or it is not constructed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value, rebuild
from intaglio.ir.types import FLOAT32, Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu

U4 = IntType.parse("u4")
X = Value("x", TensorType((3,), U4))
W = Constant.integers(np.array([[1, 2, 3], [-4, 5, 6]]))
B = Constant.integers(np.array([0, 1]))


def _dense(**changes: object) -> Graph:
    fields: dict[str, object] = {
        "name": "net",
        "inputs": (X,),
        "nodes": (Node("y", Matmul(), ("x", "w", "b"), "logits"), Node("z", Relu(), ("y",))),
        "outputs": ("z",),
        "constants": {"w": W, "b": B},
    }
    return Graph(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_graph_knows_types_producers_consumers_macs_and_parameters() -> None:
    graph = _dense()
    assert str(graph.types["y"]) == "s10[2]"
    assert graph.producers["y"].op == Matmul()
    assert [node.name for node in graph.consumers["y"]] == ["z"]
    assert graph.operand_types(graph.nodes[1]) == (graph.types["y"],)
    assert (graph.macs(graph.nodes[0]), graph.macs(graph.nodes[1]), graph.parameters) == (6, 0, 8)


def test_a_node_that_reads_a_value_twice_is_one_consumer() -> None:
    graph = _dense(nodes=(Node("z", Add(), ("x", "x")),), constants={})
    assert graph.consumers["x"] == graph.nodes


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"inputs": (X, X)}, "a value's name must be used once, not again for 'x'"),
        (
            {"nodes": (Node("x", Relu(), ("x",)),)},
            "a value's name must be used once, not again for 'x'",
        ),
        (
            {"nodes": (Node("z", Relu(), ("y",)),)},
            "relu 'z' must use values made before it, not 'y'",
        ),
        (
            {"nodes": (Node("z", Relu(), ("x", "x")),)},
            "relu 'z' must have operands x, not 2",
        ),
        (
            {"nodes": (Node("z", Matmul(), ("x", "w", "x"), "o"),)},
            "matmul 'z' (o): operand bias must be a constant, not 'x'",
        ),
        (
            {"nodes": (Node("z", Relu(), ("w",)),)},
            "relu 'z': operand x must be an activation, not 'w'",
        ),
        (
            {"nodes": (Node("z", Matmul(), ("x", "w", "w")),)},
            "matmul 'z': bias must be [2], not s4[2,3]",
        ),
        ({"outputs": ("w",)}, "a graph's output must be computed by it, not 'w'"),
        ({"outputs": ("q",)}, "a graph's output must be computed by it, not 'q'"),
        ({"outputs": ()}, "graph 'net' must have an output, not none"),
    ],
)
def test_a_wrong_graph_is_named(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        _dense(**changes)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Constant(np.array([1.0, np.nan]), FLOAT32),
            "a constant must be finite, not NaN or infinite",
        ),
        (
            lambda: Constant(np.array([3, 16]), U4),
            "a constant must lie in u4, not range over 3..16",
        ),
        (lambda: TensorType((2, 0), U4), "every dimension must be at least 1, not [2, 0]"),
        (lambda: Quantization((0.0,)), "a scale must be finite and positive, not (0.0,)"),
        (lambda: Quantization(()), "a scale must be finite and positive, not ()"),
        (lambda: TensorType((2,), FLOAT32).integer, "the element must be an integer, not f32"),
        (lambda: Program(_dense(), {}), "a program's ends must have a scale; 'x' has none"),
        (
            lambda: Program(_dense(inputs=(Value("x", TensorType((3,), FLOAT32)),)), {}),
            "matmul 'y' (logits): operands must all be integers or all floats, not f32, s4, u1",
        ),
    ],
)
def test_a_wrong_value_is_named(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == text


def test_a_program_holds_integers_only() -> None:
    graph = Graph("f", (Value("x", TensorType((1,), FLOAT32)),), (), ("x",), {})
    with pytest.raises(ModelError, match=r"must be an integer, not x f32\[1\]"):
        Program(graph, {"x": Quantization((1.0,))})


def test_constants_are_read_only_and_of_the_narrowest_type() -> None:
    assert str(W.type) == "s4[2,3]"
    assert W.data.dtype == np.int8
    with pytest.raises(ValueError, match="read-only"):
        W.data[0, 0] = 1


def test_channels_first_data_is_turned_once() -> None:
    image = Value("x", TensorType((2, 3, 1), U4))
    graph = Graph("g", (image,), (Node("z", Relu(), ("x",)),), ("z",), {}, channels_first=True)
    data = np.arange(12).reshape(2, 1, 2, 3)
    np.testing.assert_array_equal(graph.frames(data), data.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(
        graph.frames(data.transpose(0, 2, 3, 1)), data.transpose(0, 2, 3, 1)
    )
    with pytest.raises(ModelError) as caught:
        graph.frames(data[..., :2])
    assert str(caught.value) == "data for 'x' must have shape (N, 1, 2, 3), not (2, 1, 2, 2)"


def test_real_data_becomes_codes() -> None:
    program = Program(_dense(), {"x": Quantization((0.5,), 2), "z": Quantization((1.0,))})
    codes = program.quantize_input(np.array([[0.25, -9.0, 99.0]]))
    assert codes.tolist() == [[3, 0, 15]]
    with pytest.raises(ModelError, match="data for 'x' must be finite, not NaN or infinite"):
        program.quantize_input(np.array([[0.0, np.inf, 0.0]]))


def test_rebuilding_leaves_out_constants_nobody_reads() -> None:
    graph = _dense()
    assert list(rebuild(graph, graph.nodes, {**graph.constants, "old": B}).constants) == ["w", "b"]


def test_quantization_gives_reals_back() -> None:
    reals = Quantization((0.5, 2.0), 1).dequantize(np.array([[1, 3]]))
    assert reals.tolist() == [[0.0, 4.0]]


def test_attributes_come_back_and_strangers_are_refused() -> None:
    op = Conv2d((1, 2), (0, 1, 2, 3), 4)
    assert Conv2d.from_attributes(op.attributes()) == op
    with pytest.raises(ModelError, match="conv2d must have its own attributes: 'color'"):
        Conv2d.from_attributes({"color": 1})
