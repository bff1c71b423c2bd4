# SPDX-License-Identifier: Apache-2.0
"""Printing and parsing are inverse, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.text import from_text, to_text
from intaglio.ir.types import FLOAT32, Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops import operators
from intaglio.ops.matmul import Matmul
from tests.ir.graphs import graphs, programs


def _same(found: Graph | Program, expected: Graph) -> None:
    graph = found.graph if isinstance(found, Program) else found
    assert (graph.name, graph.inputs, graph.nodes) == (
        expected.name,
        expected.inputs,
        expected.nodes,
    )
    assert (graph.outputs, graph.types) == (expected.outputs, expected.types)
    assert graph.channels_first == expected.channels_first
    assert list(graph.constants) == list(expected.constants)
    for name, constant in expected.constants.items():
        assert graph.constants[name].element == constant.element
        np.testing.assert_array_equal(graph.constants[name].data, constant.data)


@given(graphs())
def test_a_graph_comes_back_from_its_text(graph: Graph) -> None:
    text = to_text(graph)
    found = from_text(text, operators())
    _same(found, graph)
    assert to_text(found) == text


@given(programs())
def test_a_program_comes_back_from_its_text(program: Program) -> None:
    found = from_text(to_text(program), operators())
    assert isinstance(found, Program)
    _same(found, program.graph)
    assert found.quantization == program.quantization
    assert found.notes == program.notes


@given(graphs())
def test_constants_may_stay_arrays(graph: Graph) -> None:
    text = to_text(graph, constants=False)
    arrays = {name: constant.data for name, constant in graph.constants.items()}
    _same(from_text(text, operators(), arrays), graph)


def _small() -> Graph:
    return Graph(
        "net",
        (Value("x", TensorType((2,), IntType.parse("u4"))),),
        (Node("y", Matmul(), ("x", "w", "b"), "the sum"),),
        ("y",),
        {
            "w": Constant(np.array([[1, -2]]), IntType.parse("s8n")),
            "b": Constant(np.array([7]), IntType.parse("s16")),
        },
    )


def test_the_form_is_what_the_module_says() -> None:
    how = {"x": Quantization((0.5,), 3), "y": Quantization((0.25, 2.0))}
    assert to_text(Program(_small(), how, ('say "so"',))) == (
        "program net\n"
        "input x : u4[2] scale 0.5 zero 3\n"
        "const w : s8n[1,2] = 1 -2\n"
        "const b : s16[1] = 7\n"
        'y = matmul(x, w, b) {} : s17[1] scale 0.25,2.0 zero 0 from "the sum"\n'
        "output y\n"
        'note "say \\"so\\""\n'
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("graph net", "grapf net", "line 1: a line must be an input, const, node or output"),
        ("matmul(", "matmull(", "line 5: an operator must be one of ['add', "),
        ("{}", '{"a":1}', "line 5: matmul must have its own attributes: 'a'"),
        ("{}", "{a}", "line 5: Expecting property name"),
        ("u4[2]", "u99[2]", "line 2: an integer's width must be 1..48 bits, not 99"),
        ("= 1 -2", "= 1", "line 3: constant 'w' must have 2 numbers, not 1"),
        ("= 1 -2", "= 1 -200", "line 3: a constant must lie in s8n, not range over -200..1"),
        ("= 1 -2", "= 1 99999999999999999999", "line 3: "),
        ("= 1 -2", "= @", "line 3: constant 'w' must come with an array of shape (1, 2)"),
        ("s17[1]", "s18[1]", "value 'y' must be s17[1], not s18[1]"),
        ("output y", "output z", "a graph's output must be computed by it, not 'z'"),
        ("graph net\n", "", "the text of a graph must begin with graph NAME or program NAME"),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, text: str) -> None:
    wrong = to_text(_small()).replace(old, new)
    with pytest.raises(ModelError) as caught:
        from_text(wrong, operators())
    assert str(caught.value).startswith(text)


def test_floats_are_printed_in_full() -> None:
    tiny = np.array([np.float32(1) / 3, np.finfo(np.float32).tiny, -0.0, 3.4e38], np.float32)
    shape = TensorType((4,), FLOAT32)
    node = Node("y", Matmul(), ("x", "w", "b"))
    constants = {"w": Constant(tiny[None], FLOAT32), "b": Constant(tiny[:1], FLOAT32)}
    graph = Graph("f", (Value("x", shape),), (node,), ("y",), constants)
    found = from_text(to_text(graph), operators())
    assert isinstance(found, Graph)
    assert found.constants["w"].data.tobytes() == tiny.tobytes()
