# SPDX-License-Identifier: Apache-2.0
"""From a float network to hardware: what quantisation makes of each operator, in Verilator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from tests.quantize.bounds import error_bounds
from tests.quantize.networks import network, normal
from tests.quantize.test_products import attention, gated


def functions() -> Graph:
    """A function behind each layer, the result's among them."""
    return network(
        (6, 6, 2),
        ("c1", Conv2d(), "x", normal(1, 4, 3, 3, 2) / 3, normal(2, 4)),
        ("leaky", Function("leaky_relu", (0.1,)), "c1"),
        ("c2", Conv2d((2, 2)), "leaky", normal(3, 3, 2, 2, 4) / 4, normal(4, 3)),
        ("silu", Function("silu"), "c2"),
        ("flat", Flatten(), "silu"),
        ("d3", Matmul(), "flat", normal(5, 5, 12) / 4, normal(6, 5)),
        ("sigmoid", Function("sigmoid"), "d3"),
    )


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(activations="s14")], ids=str)
@pytest.mark.parametrize("made", [functions, gated, attention], ids=lambda made: made.__name__)
def test_hardware_gives_the_bits_of_a_program_near_to_its_floats(
    made: Callable[[], Graph], scheme: Scheme, tmp_path: Path, runtime: Path
) -> None:
    graph = made()
    images = normal(9, 8, *graph.inputs[0].type.shape)
    program = quantize(graph, images, scheme)
    codes = program.quantize_input(images)
    target = device("ecp5-85f")
    design = dataflow(program, target, best_throughput(program, target, 0.1).folds)
    bundle = emit(design, tmp_path / "bundle", codes[:1])
    for stalls in (None, Stalls(0.3, 0.4)):
        simulate(bundle, codes, stalls=stalls, runtime=runtime, optimize="-O0", progress=False)
    end = graph.outputs[0]
    real, found = trace(graph, {"x": images}), trace(program.graph, {"x": codes})[end]
    bound = error_bounds(graph, program, real)[end]
    assert np.abs(program.quantization[end].dequantize(found) - real[end]).max() <= bound
