# SPDX-License-Identifier: Apache-2.0
"""Graphs that differ are told apart, by the first node that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from intaglio.errors import ModelError, VerificationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.passes import equal_on_random_input, run_passes
from intaglio.passes.check import compare, difference, random_frames
from tests.ir.graphs import graphs


def _dense(weight: np.ndarray, *, integer: bool = False) -> Graph:
    element = IntType.parse("s8") if integer else FLOAT32
    constants = {"w": Constant(weight, element), "b": Constant(np.zeros(len(weight)), element)}
    nodes = (Node("fc", Matmul(), ("x", "w", "b"), "src"), Node("end", Relu(), ("fc",)))
    x = Value("x", TensorType((weight.shape[1],), element))
    return Graph("net", (x,), nodes, ("end",), constants)


@given(graphs())
def test_a_graph_equals_itself(graph: Graph) -> None:
    equal_on_random_input(graph, graph, "nothing")


@pytest.mark.parametrize("integer", [False, True])
def test_the_first_differing_node_is_named(*, integer: bool) -> None:
    before = _dense(np.array([[1, 2], [3, 4]]), integer=integer)
    after = _dense(np.array([[1, 2], [3, 5]]), integer=integer)
    with pytest.raises(VerificationError) as caught:
        equal_on_random_input(before, after, "a bad pass")
    text = str(caught.value)
    assert text.startswith(
        "a bad pass must not change what 'net' computes: matmul 'fc' (src) must be "
    )
    assert " at [1], not " in text


def test_a_pass_is_checked_and_named() -> None:
    def swap(graph: Graph) -> Graph:
        return replace(graph, outputs=("fc",))

    with pytest.raises(VerificationError, match="swap must not change what 'net' computes: output"):
        run_passes(_dense(np.array([[1.0, 2.0], [-3.0, 4.0]])), [swap])


def test_a_pass_keeps_inputs_and_outputs() -> None:
    graph = _dense(np.eye(2))
    with pytest.raises(VerificationError, match="cut must keep the inputs and outputs of 'net'"):
        equal_on_random_input(graph, replace(graph, outputs=("end", "fc")), "cut")


def test_rounding_is_no_difference_and_a_small_weight_is() -> None:
    weight = np.random.default_rng(0).standard_normal((8, 256))
    shuffled = np.nextafter(weight.astype(np.float32), np.float32(9))
    equal_on_random_input(_dense(weight), _dense(shuffled), "rounding")
    weight[3, 7] += 0.05
    with pytest.raises(VerificationError, match=r"at \[3\], not"):
        equal_on_random_input(_dense(shuffled), _dense(weight), "a change")


def test_a_difference_does_not_hide_behind_a_clip() -> None:
    x = Value("x", TensorType((64,), FLOAT32))
    before = Graph("g", (x,), (Node("y", Clip(-1.0, 0.0), ("x",)),), ("y",), {})
    after = Graph("g", (x,), (Node("y", Clip(-1.001, 0.0), ("x",)),), ("y",), {})
    with pytest.raises(VerificationError):
        equal_on_random_input(before, after, "a wider clip")


def test_a_graph_that_overflows_cannot_be_compared() -> None:
    graph = _dense(np.full((2, 64), 3e38))
    with pytest.raises(ModelError, match=r"matmul 'fc' \(src\) must stay finite on random input"):
        equal_on_random_input(graph, graph, "nothing")


def test_random_frames_cover_the_type() -> None:
    value = Value("x", TensorType((64,), IntType.parse("s3n")))
    frames = random_frames(value, frames=20)
    assert (frames.min(), frames.max(), frames.dtype) == (-3, 3, np.int8)
    assert random_frames(Value("x", TensorType((3,), FLOAT32))).dtype == np.float32
    np.testing.assert_array_equal(random_frames(value), random_frames(value))


def test_shapes_that_differ_are_told() -> None:
    text = difference(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(1))
    assert text == "must have shape (4,), not (3,)"


def test_nothing_expected_means_nothing_compared() -> None:
    graph = _dense(np.eye(2))
    found = compare(graph, {"x": np.ones((1, 2), np.float32)}, {})
    assert found.difference is None
    assert found.values["end"].tolist() == [[1.0, 1.0]]
