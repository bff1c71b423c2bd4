# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.ir.execute import run_program, trace
from intaglio.ir.graph import Graph
from intaglio.numerics.functions import FORMULAS
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.lookup import Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.quantize.program import quantize
from intaglio.quantize.quantizer import Coding
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.tables import sampled
from tests.ops.reference import elements
from tests.quantize.networks import network, normal
from tests.quantize.test_program import SCHEMES, check_bounds, node_names

#: Functions no steeper than `bounds.SLOPES` says, with parameters that keep them so.
GENTLE = (
    *(Function("elu", (0.7,)), Function("gelu"), Function("gelu_tanh"), Function("mish")),
    *(Function("hard_sigmoid", (0.2, 0.5)), Function("hard_swish"), Function("silu")),
    *(Function("leaky_relu", (0.1,)), Function("sigmoid"), Function("sin"), Function("softplus")),
    *(Function("softsign"), Function("tanh"), Function("abs"), Function("cos")),
)


def between(op: Function) -> Graph:
    """A function between two convolutions, and one of the result."""
    return network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 3, 2, 2, 2), normal(2, 3)),
        ("f1", op, "c1"),
        ("flat", Flatten(), "f1"),
        ("d2", Matmul(), "flat", normal(3, 4, 27) / 8, normal(4, 4)),
        ("f2", op, "d2"),
    )


@given(
    elements,
    elements,
    st.floats(0.01, 100),
    st.floats(0.01, 100),
    st.sampled_from(["square", "tanh", "floor", "abs", "sign"]),
    st.data(),
)
def test_every_entry_is_the_exact_value_rounded_half_up_and_saturated(
    source: IntType, target: IntType, wide: float, fine: float, kind: str, data: st.DataObject
) -> None:
    zero = data.draw(st.integers(target.min, target.max))
    coding = Coding(target, fine, zero)
    reals = wide * np.arange(source.min, source.max + 1)
    values = FORMULAS[kind].compute(reals)
    table = sampled(FORMULAS[kind].compute, reals, coding)
    assert len(table.codes) == source.max - source.min + 1
    worst = Fraction(0)
    for code, value in zip(table.codes.tolist(), (values / fine).tolist(), strict=True):
        exact = Fraction(value)
        wanted = math.floor(exact + Fraction(1, 2)) + zero
        assert code == min(max(wanted, target.min), target.max)
        worst = max(worst, abs(code - zero - exact))
    assert table.error == pytest.approx(float(worst), rel=1e-9, abs=1e-9)
    if target.min - zero <= min(values) / fine and max(values) / fine <= target.max - zero:
        assert table.error <= 0.5


def test_where_there_is_no_value_the_nearest_one_stands() -> None:
    coding = Coding(IntType.parse("u8"), 1.0)
    reals = np.arange(-3.0, 5.0)
    assert sampled(np.sqrt, np.arange(5.0) ** 2, coding).codes.tolist() == [0, 1, 2, 3, 4]
    with np.errstate(invalid="ignore", divide="ignore"):
        assert sampled(np.sqrt, reals, coding).codes.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
        assert sampled(np.log, reals + 3, coding).codes.tolist()[:3] == [0, 0, 1]
        assert sampled(np.reciprocal, reals, coding).codes[3] == 255
        assert sampled(lambda x: np.sqrt(-x), reals, coding).codes.tolist() == [2, 1, 1] + [0] * 5
        with pytest.raises(QuantizationError, match=r"^a function must have a value somewhere in "):
            sampled(np.sqrt, reals - 9, coding)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("op", GENTLE, ids=lambda op: op.kind)
def test_every_value_is_within_the_bound_of_its_scales(scheme: Scheme, op: Function) -> None:
    images = normal(9, 8, 4, 4, 2)
    check_bounds(between(op), quantize(between(op), images, scheme), images)


def test_the_requantize_of_a_layer_gives_the_codes_that_the_table_reads() -> None:
    op = Function("tanh")
    images = normal(9, 8, 4, 4, 2)
    program = quantize(between(op), images)
    assert node_names(program) == ["c1.acc", "c1", "f1", "flat", "d2.acc", "d2", "f2"]
    assert program.graph.types["c1"].element == IntType.parse("u8")
    assert program.graph.types["f1.table"].shape == (256,)
    assert program.graph.types["f1"].element == IntType.parse("u8")
    how = program.quantization["c1"]
    reals = how.scale[0] * (np.arange(256) - how.zero_point)
    found = program.quantization["f1"].dequantize(program.graph.constants["f1.table"].data)
    low, high = found.min(), found.max()
    expected = np.clip(np.tanh(reals), low, high)
    assert np.abs(found - expected).max() <= 0.51 * program.quantization["f1"].scale[0]


def test_a_function_of_the_result_reads_codes_as_wide_as_a_table_takes() -> None:
    program = quantize(between(Function("sigmoid")), normal(9, 8, 4, 4, 2))
    assert program.graph.types["d2"].element == IntType.parse("u12")
    assert program.graph.types["f2"].element == IntType.parse("s16")
    assert program.graph.types["f2.table"].shape == (4096,)
    narrow = quantize(between(Function("sigmoid")), normal(9, 8, 4, 4, 2), Scheme(output="s8"))
    assert narrow.graph.types["d2"].element == IntType.parse("u8")


def test_an_input_keeps_its_type() -> None:
    program = quantize(network((3,), ("f", Function("sigmoid"), "x")), normal(1, 9, 3))
    assert program.graph.types["x"].element == IntType.parse("u8")


def test_functions_and_rectifiers_in_a_row_are_one_table() -> None:
    graph = network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 3, 2, 2, 2), normal(2, 3)),
        ("e", Function("sin"), "c1"),
        ("r", Relu(), "e"),
        ("q", Function("square"), "r"),
        ("k", Clip(0.25, 0.75), "q"),
        ("c2", Conv2d(), "k", normal(3, 2, 1, 1, 3), normal(4, 2)),
    )
    images = normal(9, 8, 4, 4, 2)
    program = quantize(graph, images)
    assert node_names(program) == ["c1.acc", "c1", "k", "c2.acc", "c2"]
    assert isinstance(program.graph.producers["k"].op, Lookup)
    found, real = (
        program.quantization["k"].dequantize(
            trace(program.graph, {"x": program.quantize_input(images)})["k"]
        ),
        trace(graph, {"x": images})["k"],
    )
    assert found.min() >= 0.25 - 0.01
    assert found.max() <= 0.75 + 0.01
    assert np.abs(found - real).max() < 0.1


def test_what_others_read_too_stays_a_value() -> None:
    graph = network(
        (2,),
        ("t", Function("tanh"), "x"),
        ("r", Relu(), "t"),
        outputs=("r", "t"),
    )
    assert node_names(quantize(graph, normal(1, 9, 2))) == ["t", "r"]


@pytest.mark.parametrize("activations", ["u14", "s16"])
def test_of_wider_activations_a_table_reads_the_upper_bits(activations: str) -> None:
    images = normal(9, 8, 4, 4, 2)
    graph = between(Function("silu"))
    program = quantize(graph, images, Scheme(activations=activations))
    assert node_names(program)[1:4] == ["c1", "f1.index", "f1"]
    assert program.graph.types["f1.index"].element.width == 12
    assert program.graph.types["f1"].element == IntType.parse(activations)
    check_bounds(graph, program, images)


@settings(max_examples=20)
@given(st.sampled_from(GENTLE), st.integers(0, 99))
def test_wider_activations_are_nearer_to_the_floats(op: Function, seed: int) -> None:
    images = normal(seed, 8, 4, 4, 2)
    real = trace(between(op), {"x": images})["f2"]
    errors = [
        np.abs(run_program(quantize(between(op), images, scheme), images) - real).mean()
        for scheme in (Scheme("s4n", "u4"), Scheme("s8n", "u8"), Scheme("s12n", "u12"))
    ]
    assert errors[0] > errors[1] > errors[2]


def test_a_function_without_any_value_is_refused_by_name() -> None:
    graph = network((2,), ("l", Function("log"), "x"), ("r", Relu(), "l"))
    with pytest.raises(QuantizationError, match=r"^value 'r': "):
        quantize(graph, -np.ones((3, 2)))
