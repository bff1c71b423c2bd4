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
from intaglio.ir.graph import Graph, Program
from intaglio.ir.text import from_text, to_text
from intaglio.ir.types import Quantization
from intaglio.numerics.types import IntType
from intaglio.ops import operators
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.quantize.program import common_scale, quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.bounds import error_bounds
from tests.quantize.networks import growing, network, normal, separable, small, uniform

SCHEMES = [
    Scheme(weights, activations, "s16", granularity, rule)
    for weights, activations in (("s8n", "u8"), ("s8", "s8"), ("s4n", "u4"))
    for granularity in ("per_channel", "per_tensor")
    for rule in ("affine", "pow2")
]
INT8, POW2 = Scheme.named("int8"), Scheme.named("pow2")


def traced(program: Program, images: np.ndarray) -> dict[str, np.ndarray]:
    """Run a program and return every value as real numbers, where it stands for one."""
    values = trace(program.graph, {"x": program.quantize_input(images)})
    return {
        name: program.quantization[name].dequantize(values[name]) for name in program.quantization
    }


def check_bounds(graph: Graph, program: Program, images: np.ndarray) -> None:
    real, found = trace(graph, {"x": images}), traced(program, images)
    bounds = error_bounds(graph, program, real)
    compared = 0
    for name, exact in real.items():
        for twin in (name, f"{name}.acc"):
            if twin in found:
                compared += 1
                assert np.abs(found[twin] - exact).max() <= bounds[twin], twin
    assert compared > len(graph.nodes)


def node_names(program: Program) -> list[str]:
    return [node.name for node in program.graph.nodes]


# --- what every layer must keep ------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), signed=st.booleans())
def test_every_value_is_within_the_bound_of_its_scales(
    scheme: Scheme, seed: int, signed: bool
) -> None:
    images = (normal if signed else uniform)(seed + 99, 8, 6, 6, 2)
    for graph in (small(seed), separable(seed), growing(seed)):
        check_bounds(graph, quantize(graph, images, scheme), images)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_zero_is_exactly_zero(scheme: Scheme) -> None:
    program = quantize(small(), normal(9, 8, 6, 6, 2), scheme)
    for name, how in program.quantization.items():
        element = program.graph.types[name].integer
        assert element.min <= how.zero_point <= element.max, name


@pytest.mark.parametrize("granularity", ["per_tensor", "per_channel"])
def test_power_of_two_scales_need_no_multiplier(granularity: str) -> None:
    scheme = Scheme(granularity=granularity, scale_rule="pow2")  # type: ignore[arg-type]
    program = quantize(small(), normal(9, 8, 6, 6, 2), scheme)
    for node in program.graph.nodes:
        if isinstance(node.op, Requantize):
            multipliers = program.graph.constants[node.inputs[1]].data
            assert np.all(np.bitwise_count(multipliers) == 1)
            assert granularity == "per_channel" or multipliers.tolist() == [1]
    for how in program.quantization.values():
        assert all(math.frexp(scale)[0] == 0.5 for scale in how.scale)
        assert how.zero_point == 0


def test_each_channel_has_its_own_scale_or_all_share_one() -> None:
    images = normal(9, 8, 6, 6, 2)
    channel, tensor = quantize(small(), images), quantize(small(), images, SCHEMES[2])
    assert len(channel.quantization["c1.acc"].scale) == 3
    assert len(tensor.quantization["c1.acc"].scale) == 1
    assert channel.graph.types["r1.multiplier"].shape == (3,)
    assert tensor.graph.types["r1.multiplier"].shape == (1,)
    assert channel.graph.types["c1.weight"].element == IntType.parse("s8n")


def test_scales_per_channel_are_worth_it_where_channels_differ() -> None:
    weight = normal(1, 4, 3, 3, 2) * np.array([1.0, 0.1, 0.03, 0.01]).reshape(4, 1, 1, 1)
    graph = network((6, 6, 2), ("c1", Conv2d(), "x", weight, np.zeros(4)))
    images = normal(9, 8, 6, 6, 2)
    real = trace(graph, {"x": images})["c1"]
    errors = []
    for granularity in ("per_channel", "per_tensor"):
        scheme = Scheme(granularity=granularity)  # type: ignore[arg-type]
        found = run_program(quantize(graph, images, scheme), images)
        errors.append(np.abs(found - real)[..., 3].mean())
    assert errors[0] < errors[1] / 2


def test_only_integers_are_left_and_the_text_round_trips() -> None:
    program = quantize(small(), normal(9, 8, 6, 6, 2))
    assert {node.op.name for node in program.graph.nodes} == {
        "conv2d", "requantize", "sum_pool", "flatten", "matmul"
    }  # fmt: skip
    text = to_text(program)
    assert to_text(from_text(text, operators())) == text


def test_pixels_of_an_8_bit_image_enter_as_they_are() -> None:
    """0..1 float32 images made from bytes give the bytes back: scale 1/255, zero point 0."""
    graph = network((256,), ("f", Matmul(), "x", normal(1, 2, 256), np.zeros(2)))
    pixels = np.arange(256)
    images = (pixels.reshape(1, -1) / 255).astype(np.float32)
    assert quantize(graph, images).quantize_input(images).ravel().tolist() == pixels.tolist()


def test_the_entrance_rounds_half_up_and_saturates() -> None:
    graph = network((4,), ("f", Matmul(), "x", normal(1, 2, 4), np.zeros(2)))
    program = quantize(graph, np.array([[-128.0, 127.0, 0.0, 0.0]]))
    assert program.quantization["x"] == Quantization((1.0,), 128)
    found = program.quantize_input(np.array([[-0.5, 0.5, -900.0, 900.0]]))
    assert found.tolist() == [[128, 129, 0, 255]]


# --- names, and what is done on the side ---------------------------------------------------------


def test_values_keep_their_names_and_origins() -> None:
    program = quantize(small(), normal(9, 8, 6, 6, 2))
    assert node_names(program) == ["c1.acc", "r1", "s2.sum", "s2", "flat", "f3.acc", "f3"]
    origins = {node.name: node.origin for node in program.graph.nodes}
    assert (origins["c1.acc"], origins["r1"], origins["s2"]) == ("/c1", "/r1", "/s2")


def test_the_result_is_wide_and_has_headroom() -> None:
    graph, images = small(), normal(9, 8, 6, 6, 2)
    program = quantize(graph, images)
    assert program.graph.types["f3"].element == IntType.parse("s16")
    largest = np.abs(trace(graph, {"x": images})["f3"]).max()
    assert program.quantization["f3"].scale[0] == pytest.approx(2 * largest / 32767)
    narrow = quantize(graph, images, Scheme(output="s8"))
    assert narrow.quantization["f3"].scale[0] == pytest.approx(largest / 127)


def test_the_scores_behind_reshape_and_argmax_are_wide_too() -> None:
    graph = network(
        (3,),
        ("f", Matmul(), "x", normal(1, 6, 3), normal(2, 6)),
        ("shape", Reshape((2, 3)), "f"),
        ("flat", Flatten(), "shape"),
        ("class", Argmax(), "flat"),
    )
    images = normal(3, 50, 3)
    program = quantize(graph, images)
    assert program.graph.types["f"].element == IntType.parse("s16")
    assert len(program.quantization["f"].scale) == 1
    real, found = trace(graph, {"x": images})["class"], run_program(program, images)
    assert (found == real).mean() > 0.9


def test_relu_and_clip_behind_a_layer_become_its_saturation() -> None:
    graph = network(
        (4, 4, 1),
        ("c1", Conv2d(), "x", normal(1, 2, 2, 2, 1), normal(2, 2)),
        ("r1", Relu(), "c1"),
        ("k1", Clip(0.0, 6.0), "r1"),
        ("flat", Flatten(), "k1"),
        ("f2", Matmul(), "flat", normal(3, 2, 18), np.zeros(2)),
    )
    images = normal(4, 8, 4, 4, 1)
    program = quantize(graph, images)
    assert node_names(program) == ["c1.acc", "k1", "flat", "f2.acc", "f2"]
    assert program.quantization["k1"].zero_point == 0
    check_bounds(graph, program, images)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize(("low", "high"), [(0.0, 0.8), (-0.5, 0.7), (-1.0, 0.0)])
def test_a_bound_inside_the_codes_is_a_clip_on_codes(
    scheme: Scheme, low: float, high: float
) -> None:
    graph = network(
        (4, 4, 1),
        ("c1", Conv2d(), "x", normal(1, 2, 2, 2, 1), normal(2, 2)),
        ("k1", Clip(low, high), "c1"),
        ("flat", Flatten(), "k1"),
        ("f2", Matmul(), "flat", normal(3, 2, 18), np.zeros(2)),
    )
    images = normal(4, 8, 4, 4, 1) * 4
    program = quantize(graph, images, scheme)
    found, how = traced(program, images)["k1"], program.quantization["k1"]
    assert found.min() >= low - how.scale[0] / 2 - 1e-9
    assert found.max() <= high + how.scale[0] / 2 + 1e-9
    check_bounds(graph, program, images)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize(("low", "high"), [(-1.0, -0.5), (0.4, 0.9)])
@pytest.mark.parametrize("alone", [True, False])
def test_zero_may_lie_outside_the_bounds(
    scheme: Scheme, low: float, high: float, alone: bool
) -> None:
    """Padding still is zero, which the narrowed codes before it do not hold."""
    graph = network(
        (4, 4, 1),
        ("c1", Conv2d(), "x", normal(1, 2, 1, 1, 1), normal(2, 2)),
        ("k1", Clip(low, high), "c1" if alone else "x"),
        ("p1", AveragePool((2, 2), (2, 2), (1, 1, 1, 1)), "k1"),
        (
            "c2",
            Conv2d(padding=(1, 1, 1, 1)),
            "k1",
            normal(3, 2, 3, 3, 2 if alone else 1),
            normal(4, 2),
        ),
        outputs=("p1", "c1", "c2")[:: 2 if alone else 1],
    )
    images = normal(5, 8, 4, 4, 1)
    check_bounds(graph, quantize(graph, images, scheme), images)


def test_a_rectified_result_is_unsigned() -> None:
    graph = network((3,), ("f", Matmul(), "x", normal(1, 4, 3), normal(2, 4)), ("r", Relu(), "f"))
    images = normal(3, 20, 3)
    program = quantize(graph, images)
    assert node_names(program) == ["f.acc", "r"]
    assert program.graph.types["r"].element == IntType.parse("u15")
    assert run_program(program, images).min() == 0.0
    check_bounds(graph, program, images)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_a_relu_that_is_not_alone_works_on_codes(scheme: Scheme) -> None:
    graph = network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 2, 1, 1, 2), normal(2, 2)),
        ("r1", Relu(), "c1"),
        ("k1", Clip(-0.5, 0.5), "c1"),
        ("a1", Add(), "r1", "k1"),
        ("c2", Conv2d(), "a1", normal(3, 2, 1, 1, 2), normal(4, 2)),
    )
    images = normal(5, 8, 4, 4, 2)
    program = quantize(graph, images, scheme)
    assert isinstance(program.graph.producers["r1"].op, Relu)
    assert program.graph.producers["r1"].op.zero_point == program.quantization["c1"].zero_point
    check_bounds(graph, program, images)


def test_batch_norm_is_folded_and_its_value_compared() -> None:
    graph = network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 2, 2, 2, 2), normal(2, 2)),
        ("n1", BatchNorm(), "c1", normal(3, 2), normal(4, 2)),
        ("r1", Relu(), "n1"),
        ("flat", Flatten(), "r1"),
        ("f2", Matmul(), "flat", normal(5, 2, 18), np.zeros(2)),
    )
    images = normal(6, 8, 4, 4, 2)
    program = quantize(graph, images)
    assert node_names(program)[:2] == ["n1.acc", "r1"]
    found, real = traced(program, images), trace(graph, {"x": images})
    assert np.abs(found["r1"] - real["r1"]).max() < 0.1


# --- operator by operator ------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (3, 2), (7, 7)])
@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (1, 1, 1, 1)])
@pytest.mark.parametrize("activations", ["u8", "s8"])
def test_average_pooling_is_the_rounded_mean_of_codes_at_any_zero_point(
    kernel: tuple[int, int], padding: tuple[int, int, int, int], activations: str
) -> None:
    graph = network((8, 8, 2), ("p", AveragePool(kernel, (1, 1), padding), "x"))
    images = normal(1, 4, 8, 8, 2) + np.float32(0.7)
    images[0] = 0.0
    program = quantize(graph, images, Scheme(activations=activations))
    how = program.quantization["p"]
    assert how == program.quantization["x"]
    assert how.zero_point not in (0, -128)
    values = trace(program.graph, {"x": program.quantize_input(images)})
    size = kernel[0] * kernel[1]
    for total, code in zip(values["p.sum"].flat, values["p"].flat, strict=True):
        mean = Fraction(int(total), size)
        if size == 4 or mean % 1 != Fraction(1, 2):
            assert code == math.floor(mean + Fraction(1, 2))
        assert abs(code - mean) <= Fraction(1, 2)
    assert np.all(how.dequantize(values["p"][0]) == 0.0), "zero stays exactly zero"
    check_bounds(graph, program, images)


def test_a_mean_over_a_power_of_two_is_a_shift() -> None:
    graph = network((4, 4, 1), ("p", AveragePool((2, 2), (2, 2)), "x"))
    program = quantize(graph, normal(1, 4, 4, 4, 1))
    op = program.graph.producers["p"].op
    assert isinstance(op, Requantize)
    assert (op.shift, op.zero_point) == (2, 0)
    assert program.graph.constants["p.multiplier"].data.tolist() == [1]


def test_a_mean_that_leaves_padding_out_is_refused() -> None:
    pool = AveragePool((2, 2), (1, 1), (1, 1, 1, 1), count_padding=False)
    with pytest.raises(
        QuantizationError, match=r"^average_pool 'p' \(/p\) must divide by one number"
    ):
        quantize(network((4, 4, 1), ("p", pool, "x")), normal(1, 4, 4, 4, 1))
    bare = AveragePool((2, 2), (1, 1), count_padding=False)
    quantize(network((4, 4, 1), ("p", bare, "x")), normal(1, 4, 4, 4, 1))


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_max_pooling_chooses_codes(scheme: Scheme) -> None:
    graph = network((5, 5, 2), ("p", MaxPool((3, 3), (2, 2), (1, 1, 1, 1)), "x"))
    images = normal(1, 4, 5, 5, 2) - np.float32(2.0)
    program = quantize(graph, images, scheme)
    assert program.quantization["p"] == program.quantization["x"]
    check_bounds(graph, program, images)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("value", [0, 1])
def test_padding_pads_with_the_code_of_its_value(scheme: Scheme, value: int) -> None:
    graph = network(
        (3, 3, 1),
        ("p", Pad((1, 0, 2, 1), value), "x"),
        ("c", Conv2d(padding=(1, 1, 1, 1)), "p", normal(1, 2, 3, 3, 1), normal(2, 2)),
    )
    images = normal(3, 8, 3, 3, 1)
    program = quantize(graph, images, scheme)
    how = program.quantization["x"]
    corner = traced(program, images)["p"][0, 0, 0, 0]
    assert abs(corner - value) <= (how.scale[0] / 2 if value else 0.0)
    assert program.graph.producers["c.acc"].op.pad_value == how.zero_point  # type: ignore[attr-defined]
    check_bounds(graph, program, images)


def test_padding_with_what_has_no_code_is_refused() -> None:
    graph = network((3, 3, 1), ("p", Pad((1, 1, 1, 1), 9), "x"))
    with pytest.raises(
        QuantizationError,
        match=r"^pad 'p' \(/p\) must pad with a value in its input's range 0\.\.0\.9",
    ):
        quantize(graph, uniform(1, 8, 3, 3, 1))


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("gain", [1.0, 1.7, 300.0])
def test_addition_brings_both_to_one_scale(scheme: Scheme, gain: float) -> None:
    graph = network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 2, 1, 1, 2) * gain, normal(2, 2)),
        ("a1", Add(), "c1", "x"),
        ("r1", Relu(), "a1"),
        ("c2", Conv2d(), "r1", normal(3, 2, 1, 1, 2), normal(4, 2)),
    )
    images = normal(5, 8, 4, 4, 2)
    program = quantize(graph, images, scheme)
    assert "a1" not in program.quantization, "its relu is done by its own requantize"
    for name in ("a1.x", "a1.y"):
        if name in program.quantization:
            how = program.quantization[name]
            assert (how.zero_point, how.scale) == (0, program.quantization["a1.acc"].scale)
    check_bounds(graph, program, images)


def test_equal_scales_without_zero_point_are_added_as_they_are() -> None:
    graph = network((3,), ("a", Add(), "x", "x"), ("b", Add(), "a", "x"))
    program = quantize(graph, uniform(1, 8, 3), POW2)
    assert node_names(program)[0] == "a.acc"
    assert program.graph.producers["a.acc"].inputs == ("x", "x")


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_the_common_scale_loses_little_of_either(left: float, right: float) -> None:
    common = common_scale(left, right)
    coarse = max(left, right)
    assert common == min(left, right) or common == coarse / 256
    assert common_scale(left, left) == left
    assert common_scale(0.25, 2.0) == 0.25
    assert common_scale(2.0**-12, 1.0) == 2.0**-8


def test_max_pooling_before_relu_is_swapped() -> None:
    graph = network(
        (4, 4, 1),
        ("c1", Conv2d(padding=(1, 1, 0, 0)), "x", normal(1, 2, 2, 2, 1), normal(2, 2)),
        ("p1", MaxPool((2, 2), (2, 2)), "c1"),
        ("r1", Relu(), "p1"),
        ("flat", Flatten(), "r1"),
        ("f2", Matmul(), "flat", normal(3, 2, 8), np.zeros(2)),
    )
    images = normal(4, 8, 4, 4, 1)
    program = quantize(graph, images)
    assert node_names(program)[:3] == ["c1.acc", "p1.x.relu", "r1"]
    assert program.quantization["r1"].zero_point == 0
    real, found = trace(graph, {"x": images}), traced(program, images)
    assert np.abs(found["r1"] - real["r1"]).max() < 4 * program.quantization["r1"].scale[0]


# --- layers of nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("bias", [0.0, 0.3, 1e-7, 1e6])
def test_a_layer_of_zeros_is_its_bias(scheme: Scheme, bias: float) -> None:
    graph = network(
        (3,),
        ("f1", Matmul(), "x", np.zeros((2, 3)), np.array([bias, 0.0])),
        ("r1", Relu(), "f1"),
        ("f2", Matmul(), "r1", normal(1, 2, 2), np.zeros(2)),
    )
    program = quantize(graph, uniform(2, 4, 3), scheme)
    found = traced(program, uniform(2, 4, 3))["r1"]
    tolerance = program.quantization["r1"].scale[0] * (1 if scheme.scale_rule == "pow2" else 0.51)
    assert np.abs(found - [bias, 0.0]).max() <= (tolerance if bias else 0.0)


@pytest.mark.parametrize("scheme", [INT8, POW2], ids=str)
def test_data_of_zeros_gives_a_program(scheme: Scheme) -> None:
    graph, images = small(), np.zeros((2, 6, 6, 2))
    program = quantize(graph, images, scheme)
    assert program.quantization["x"].scale == (1.0,)
    assert program.quantize_input(images).max() == 0
    check_bounds(graph, program, np.zeros((2, 6, 6, 2), dtype=np.float32))


def test_a_layer_that_is_never_positive_saturates_at_zero() -> None:
    graph = network(
        (3,),
        ("f1", Matmul(), "x", -np.ones((2, 3)), np.full(2, -1.0)),
        ("r1", Relu(), "f1"),
        ("f2", Matmul(), "r1", normal(1, 2, 2), normal(2, 2)),
    )
    program = quantize(graph, uniform(2, 4, 3))
    assert np.all(traced(program, uniform(2, 4, 3))["r1"] == 0.0)


def test_a_result_much_finer_than_its_accumulator_is_not_amplified() -> None:
    """Weights cancel, so the result is tiny beside one step of the accumulator."""
    weight = np.array([[100.0, -100.0]])
    graph = network((2,), ("f", Matmul(), "x", weight, np.full(1, 1e-6)))
    images = np.repeat(uniform(1, 6, 1), 2, axis=1)
    program = quantize(graph, images)
    op = program.graph.producers["f"].op
    assert isinstance(op, Requantize)
    factor = program.graph.constants["f.multiplier"].data.item() / 2**op.shift
    assert factor <= 256


# --- what is refused -----------------------------------------------------------------------------
