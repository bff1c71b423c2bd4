# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.hw.unit import Fold
from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph
from intaglio.numerics.types import IntType
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.clip import Clip
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.ops.mul import Mul
from intaglio.ops.relu import Relu
from intaglio.ops.reshape import Reshape
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal
from tests.quantize.test_program import SCHEMES, check_bounds, node_names


def gated(*extra: tuple[str, Relu, str]) -> Graph:
    """x * hard_sigmoid(x) as exporters write hard_swish, then the square of a value."""
    return network(
        (4, 4, 2),
        ("c1", Conv2d(), "x", normal(1, 3, 2, 2, 2), normal(2, 3)),
        ("gate", Function("hard_sigmoid", (1 / 6, 0.5)), "c1"),
        ("m1", Mul(), "c1", "gate"),
        *extra,
        ("m2", Mul(), extra[-1][0] if extra else "m1", "m1"),
        ("flat", Flatten(), "m2"),
        ("d2", Matmul(), "flat", normal(3, 4, 27) / 8, normal(4, 4)),
    )


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_value_is_within_the_bound_of_its_scales(scheme: Scheme) -> None:
    images = normal(9, 8, 4, 4, 2)
    check_bounds(gated(), quantize(gated(), images, scheme), images)


def test_zero_points_are_taken_out_exactly() -> None:
    images = normal(9, 8, 4, 4, 2)
    program = quantize(gated(), images)
    zero = program.quantization["c1"].zero_point
    assert zero not in (0, 255)
    assert program.quantization["gate"].zero_point == 0
    assert program.graph.producers["m1.acc"].inputs == ("m1.x", "gate")
    assert program.graph.types["m1.x"].element == IntType.holding(-zero, 255 - zero)
    values = trace(program.graph, {"x": program.quantize_input(images)})
    product = (values["c1"].astype(np.int64) - zero) * values["gate"]
    np.testing.assert_array_equal(values["m1.acc"], product)
    scale = program.quantization["c1"].scale[0] * program.quantization["gate"].scale[0]
    assert program.quantization["m1.acc"].scale == (scale,)


def test_symmetric_codes_are_multiplied_as_they_are() -> None:
    program = quantize(gated(), normal(9, 8, 4, 4, 2), Scheme.named("pow2"))
    assert program.graph.producers["m2.acc"].inputs == ("m1", "m1")


def test_a_rectifier_behind_a_product_is_its_saturation() -> None:
    graph = network((3,), ("m", Mul(), "x", "x"), ("r", Relu(), "m"))
    program = quantize(graph, normal(1, 9, 3))
    assert node_names(program) == ["m.x", "m.y", "m.acc", "r"]
    assert program.graph.types["r"].element == IntType.parse("u15")


def test_operands_may_have_been_narrowed_to_leave_out_zero() -> None:
    """A clip whose bounds exclude zero narrows the codes; the zero point still is one of them."""
    graph = network(
        (2,),
        ("a", Clip(0.4, 0.9), "x"),
        ("b", Clip(-1.0, -0.5), "x"),
        ("m", Mul(), "a", "b"),
    )
    images = normal(1, 40, 2)
    for scheme in SCHEMES:
        check_bounds(graph, quantize(graph, images, scheme), images)


def test_the_widest_activations_fit_a_multiplier() -> None:
    program = quantize(gated(), normal(9, 8, 4, 4, 2), Scheme(activations="u16"))
    assert program.graph.types["m1.x"].element.width == 17
    types = program.graph.operand_types(program.graph.producers["m1.acc"])
    assert Mul().unit(types, {}, Fold()).multipliers == 1


def attention() -> Graph:
    """Two projections of the same tokens, multiplied with each other, then with a third."""
    return network(
        (6, 1, 4),
        ("q", Conv2d(), "x", normal(1, 4, 1, 1, 4), normal(2, 4)),
        ("k", Conv2d(), "x", normal(3, 6, 1, 1, 4), normal(4, 6)),
        ("v", Conv2d(), "x", normal(5, 2, 1, 1, 4), normal(6, 2)),
        ("qm", Reshape((6, 4)), "q"),
        ("km", Reshape((4, 9)), "k"),
        ("s", BatchMatmul(), "qm", "km"),
        ("r", Relu(), "s"),
        ("rm", Reshape((3, 3, 6)), "r"),
        ("vm", Reshape((3, 4, 1)), "v"),
        ("flat", Flatten(), "vm"),
        ("vr", Reshape((3, 2, 2)), "flat"),
        ("rn", Reshape((3, 9, 2)), "rm"),
        ("y", BatchMatmul(), "rn", "vr"),
    )


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_products_of_matrices_are_within_the_bound_of_their_scales(scheme: Scheme) -> None:
    images = normal(9, 8, 6, 1, 4)
    program = quantize(attention(), images, scheme)
    assert {"s.acc", "r", "y.acc", "y"} <= set(node_names(program))
    check_bounds(attention(), program, images)
