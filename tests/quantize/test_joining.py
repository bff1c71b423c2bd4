# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.ir.execute import run_program, trace
from intaglio.ir.graph import Graph, Program
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.slice import Slice
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.quantize.build import Build
from intaglio.quantize.joining import concat
from intaglio.quantize.program import quantize
from intaglio.quantize.quantizer import Coding
from intaglio.quantize.ranges import Range
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import Layer, network, normal
from tests.quantize.test_program import SCHEMES, check_bounds, node_names


def layer(name: str, x: str, seed: int, gain: float = 1.0, channels: int = 2) -> Layer:
    weight = normal(seed, channels, 1, 1, 2) * np.float32(gain)
    return name, Conv2d(), x, weight, normal(seed + 1, channels)


def requantized(program: Program) -> list[str]:
    """The operands that had to be brought to another coding."""
    names = [node.name for node in program.graph.nodes if isinstance(node.op, Requantize)]
    return [name for name in names if name.endswith((".x", ".y"))]


def two_branches(gain: float) -> Graph:
    """Two branches of unlike ranges, rearranged and rectified on their way, meet twice."""
    return network(
        (4, 4, 2),
        layer("a", "x", 1),
        ("ra", Relu(), "a"),
        ("pa", MaxPool((2, 2), (2, 2)), "ra"),
        ("ua", Upsample((2, 2)), "pa"),
        layer("b", "x", 3, gain),
        ("tb", Transpose((1, 0, 2)), "b"),
        ("rb", Relu(), "tb"),
        ("j1", Concat(2), "ua", "rb"),
        ("d1", DepthToSpace((2, 2)), "j1"),
        layer("c", "ua", 5, 7.0, 4),
        ("dc", DepthToSpace((2, 2)), "c"),
        ("j2", Concat(2), "d1", "dc"),
        layer("end", "j2", 7),
    )


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_values_that_meet_get_one_coding_beforehand(scheme: Scheme) -> None:
    graph, images = two_branches(20.0), normal(9, 8, 4, 4, 2)
    program = quantize(graph, images, scheme)
    assert requantized(program) == []
    joined = {program.quantization[name] for name in ("ra", "ua", "b", "rb", "j1", "c", "dc", "j2")}
    assert len(joined) == 1
    assert program.quantization["x"] not in joined
    check_bounds(graph, program, images)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 2), st.sampled_from(SCHEMES))
def test_every_value_is_within_the_bound_of_its_scales(
    seed: int, axis: int, scheme: Scheme
) -> None:
    graph = network(
        (3, 3, 2),
        layer("a", "x", seed),
        ("cut", Slice((0, 0, 0), (3, 3, 2), (1, 1, 1)), "a"),
        ("j1", Concat(axis), "x", "cut"),
        ("r1", Relu(), "j1"),
        ("j2", Concat(axis), "r1", "j1"),
    )
    images = normal(seed + 2, 8, 3, 3, 2)
    check_bounds(graph, quantize(graph, images, scheme), images)


def test_the_input_keeps_its_codes_and_is_requantized() -> None:
    graph = network(
        (3, 3, 2),
        layer("a", "x", 1, 20.0),
        ("j", Concat(2), "x", "a"),
        ("b", Conv2d(), "j", normal(5, 2, 1, 1, 4), normal(6, 2)),
    )
    alone = network((3, 3, 2), layer("a", "x", 1, 20.0), layer("b", "a", 5))
    images = normal(2, 8, 3, 3, 2)
    program = quantize(graph, images)
    assert program.quantization["x"] == quantize(alone, images).quantization["x"]
    assert requantized(program) == ["j.x"]
    assert program.quantization["j.x"] == program.quantization["a"] == program.quantization["j"]
    check_bounds(graph, program, images)


def test_an_input_as_wide_as_what_it_meets_stays_as_it_is() -> None:
    graph = network(
        (3, 3, 2),
        layer("a", "x", 1, 0.01),
        ("r", Relu(), "a"),
        ("j", Concat(2), "x", "r"),
        ("b", Conv2d(), "j", normal(5, 2, 1, 1, 4), normal(6, 2)),
    )
    images = 50 * normal(2, 8, 3, 3, 2)
    program = quantize(graph, images)
    assert requantized(program) == []
    check_bounds(graph, program, images)


def test_the_results_are_wide_where_a_concat_is_the_end() -> None:
    graph = network(
        (3, 3, 2),
        layer("a", "x", 1),
        layer("b", "x", 3, 9.0),
        ("j", Concat(2), "a", "b"),
        ("out", Slice((0, 0, 1), (3, 3, 4), (1, 1, 2)), "j"),
    )
    images = normal(2, 8, 3, 3, 2)
    program = quantize(graph, images)
    assert node_names(program) == ["a.acc", "a", "b.acc", "b", "j", "out"]
    assert {program.graph.types[name].element for name in ("a", "b", "j", "out")} == {
        IntType.parse("s16")
    }
    assert run_program(program, images).shape == (8, 3, 3, 2)


@given(st.integers(-128, 127), st.integers(-128, 127), st.sampled_from([0.25, 0.3, 1.0, 1.7, 4.0]))
def test_an_operand_is_brought_to_any_coding_and_zero_stays_zero(
    old_zero: int, new_zero: int, factor: float
) -> None:
    byte = IntType(8, signed=True)
    graph = network((256,), ("j", Concat(0), "x", "x"))
    build = Build(graph, Scheme("s8", "s8", "s8"), ranges={"j": Range(-1.0, 1.0)})
    coding = build.coding("j")
    old = Coding(byte, coding.scale * factor, old_zero)
    build.types["x"] = TensorType((256,), byte)
    build.settle("x", old)
    shifted = Coding(coding.element, coding.scale, new_zero)
    with patch.object(build, "coding", return_value=shifted):
        concat(build, graph.nodes[0], Concat(0))
    program = build.program({})
    codes = np.arange(-128, 128).reshape(1, 256)
    found = trace(program.graph, {"x": codes})["j"][0, :256]
    narrowed = program.graph.types["j"].integer
    assert shifted.element.min <= narrowed.min <= narrowed.max <= shifted.element.max
    assert found[codes[0] == old_zero] == new_zero
    exact = (codes[0] - old_zero) * factor + new_zero
    saturated = np.clip(exact, shifted.element.min, shifted.element.max)
    assert np.abs(found - saturated).max() <= 1.01
