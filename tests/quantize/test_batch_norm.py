# SPDX-License-Identifier: Apache-2.0
"""Scales and offsets a channel in integers, wherever they stand."""

from __future__ import annotations

import numpy as np
import pytest

from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.passes import batchnorm_to_depthwise, fold_batchnorm
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal
from tests.quantize.test_program import SCHEMES, check_bounds, node_names


def normalized() -> Graph:
    """One at the entrance before padding, one behind a rectifier, one of the result."""
    return network(
        (4, 4, 3),
        ("n1", BatchNorm(), "x", np.array([2.0, -0.5, 0.1]), normal(1, 3)),
        ("c1", Conv2d(padding=(1, 1, 1, 1)), "n1", normal(2, 4, 3, 3, 3) / 5, normal(3, 4)),
        ("r1", Relu(), "c1"),
        ("n2", BatchNorm(), "r1", normal(4, 4), normal(5, 4)),
        ("c2", Conv2d(), "n2", normal(6, 2, 2, 2, 4) / 4, normal(7, 2)),
        ("flat", Flatten(), "c2"),
        ("n3", BatchNorm(), "flat", normal(8, 18), normal(9, 18)),
        ("r3", Relu(), "n3"),
    )


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_value_is_within_the_bound_of_its_scales(scheme: Scheme) -> None:
    graph, images = normalized(), normal(9, 8, 4, 4, 3)
    layers = batchnorm_to_depthwise(fold_batchnorm(graph))
    check_bounds(layers, quantize(graph, images, scheme), images)


def test_it_is_folded_where_it_can_be_and_a_layer_elsewhere() -> None:
    program = quantize(normalized(), normal(9, 8, 4, 4, 3))
    assert node_names(program) == [
        *("n1.acc", "n1", "c1.acc", "r1", "c2.acc", "c2", "flat"),
        *("n3.image", "n3.scaled.acc", "n3.scaled", "n3", "r3"),
    ]
    op = program.graph.producers["n1.acc"].op
    assert isinstance(op, Conv2d)
    assert op.groups == 3


def test_a_scale_a_channel_loses_nothing_to_the_codes_of_weights() -> None:
    """Each channel has one weight, which is the highest code at the scale of its own."""
    graph, images = normalized(), normal(9, 8, 4, 4, 3)
    program = quantize(graph, images)
    assert np.abs(program.graph.constants["n1.weight"].data).tolist() == [[[[127]]]] * 3
    values = trace(program.graph, {"x": program.quantize_input(images)})
    real = trace(graph, {"x": program.quantization["x"].dequantize(values["x"])})
    found = program.quantization["n1"].dequantize(values["n1"])
    inside = (values["n1"] > 0) & (values["n1"] < 255)
    assert inside.sum() > 0.9 * inside.size
    assert np.abs(found - real["n1"])[inside].max() <= 0.51 * program.quantization["n1"].scale[0]


def test_a_vector_at_the_end_has_the_wide_codes_of_a_result() -> None:
    graph = network(
        (5,),
        ("f", Matmul(), "x", normal(1, 4, 5), normal(2, 4)),
        ("r", Relu(), "f"),
        ("n", BatchNorm(), "r", normal(3, 4), normal(4, 4)),
    )
    program = quantize(graph, normal(5, 20, 5))
    assert program.graph.types["n"].element == Scheme().output_type
