# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from intaglio.ops.conv2d import Conv2d
from intaglio.ops.requantize import Requantize
from intaglio.ops.upsample_bilinear import UpsampleBilinear
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal
from tests.quantize.test_program import SCHEMES, check_bounds, node_names


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_bilinear_is_exact_but_for_one_rounding_to_the_codes_it_came_from(scheme: Scheme) -> None:
    graph = network(
        (3, 4, 2),
        ("c", Conv2d(), "x", normal(1, 3, 1, 1, 2), normal(2, 3)),
        ("up", UpsampleBilinear(), "c"),
        ("d", Conv2d(), "up", normal(3, 2, 1, 1, 3), normal(4, 2)),
    )
    images = normal(5, 8, 3, 4, 2)
    program = quantize(graph, images, scheme)
    assert node_names(program) == ["c.acc", "c", "up.rows", "up.sum", "up", "d.acc", "d"]
    assert program.quantization["up"] == program.quantization["c"]
    assert program.graph.types["up"].element == program.graph.types["c"].element
    shift = program.graph.producers["up"].op
    assert isinstance(shift, Requantize)
    assert shift.shift == 4
    assert program.graph.constants["up.multiplier"].data.tolist() == [1]
    check_bounds(graph, program, images)
