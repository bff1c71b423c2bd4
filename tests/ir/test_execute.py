# SPDX-License-Identifier: Apache-2.0
"""Running graphs: batches of any size, and inputs that are not what they must be."""

from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.execute import BATCH, batches, run, run_frames, run_program, trace
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import FLOAT32, Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu

U4 = IntType.parse("u4")
GRAPH = Graph(
    "net",
    (Value("x", TensorType((2,), U4)),),
    (Node("y", Matmul(), ("x", "w", "b")), Node("z", Relu(), ("y",))),
    ("z",),
    {"w": Constant.integers(np.array([[1, -2]])), "b": Constant.integers(np.array([3]))},
)


def test_every_activation_is_returned_in_its_own_type() -> None:
    values = trace(GRAPH, {"x": np.array([[1, 4], [9, 0]])})
    assert values["y"].tolist() == [[-4], [12]]
    assert values["z"].tolist() == [[0], [12]]
    assert values["y"].dtype == np.int8


@pytest.mark.parametrize("frames", [0, 1, BATCH, BATCH + 1])
def test_any_number_of_frames_is_run(frames: int) -> None:
    data = np.random.default_rng(0).integers(0, 16, (frames, 2))
    expected = np.maximum(data @ np.array([[1], [-2]]) + 3, 0)
    np.testing.assert_array_equal(run_frames(GRAPH, data), expected)
    np.testing.assert_array_equal(run(GRAPH, data), expected)


def test_batches_cover_everything_once() -> None:
    assert [(s.start, s.stop) for s in batches(5, 2)] == [(0, 2), (2, 4), (4, 5)]
    assert list(batches(0)) == []


def test_a_program_takes_and_gives_reals() -> None:
    program = Program(GRAPH, {"x": Quantization((0.5,)), "z": Quantization((0.25,), 1)})
    assert run_program(program, np.array([[1.0, 0.0]])).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "input 'x' must be given; it is missing"),
        ({"x": np.zeros((1, 3), int)}, "input 'x' must be [N]+u4[2], not (1, 3)"),
        ({"x": np.array(1)}, "input 'x' must be [N]+u4[2], not ()"),
        ({"x": np.array([[1, 16]])}, "input 'x' must hold u4 integers"),
        ({"x": np.array([[1.0, 2.0]])}, "input 'x' must hold u4 integers"),
    ],
)
def test_a_wrong_input_is_named(inputs: dict[str, np.ndarray], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        trace(GRAPH, inputs)
    assert str(caught.value) == text


def test_floats_are_computed_in_32_bits() -> None:
    graph = Graph(
        "f", (Value("x", TensorType((1,), FLOAT32)),), (Node("y", Relu(), ("x",)),), ("y",), {}
    )
    assert run(graph, np.array([[0.1]])).dtype == np.float32
