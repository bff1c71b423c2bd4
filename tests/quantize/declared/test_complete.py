# SPDX-License-Identifier: Apache-2.0
"""What a network leaves as floats gets integers by a scheme; what it declares stays."""

from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import QuantizationError
from intaglio.ir.execute import run, run_program, trace
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.relu import Relu
from intaglio.quantize.declared import completed, integers
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.declared.networks import Network


def partly(seed: int) -> Network:
    """Float input and first layer, a quantised middle, a mean behind a rectifier."""
    net = Network(seed, (8, 8, 2), dyadic=False)
    net.put(Conv2d(), weight=net.random.normal(0, 0.4, (3, 3, 3, 2)), bias=net.real(-1, 1, 3))
    net.put(Relu())
    net.put(FakeQuantize((0.2,), 0, 0, 15))
    net.put(Conv2d(), weight=net.weights(4, 2, 2, 3), bias=net.real(-1, 1, 4))
    net.put(BatchNorm(), scale=net.real(0.5, 2, 4), offset=net.real(-1, 1, 4))
    net.put(Relu())
    net.put(AveragePool((2, 2), (2, 2)))
    return net


@pytest.mark.parametrize("seed", range(5))
def test_only_what_is_open_gets_a_quantizer(seed: int) -> None:
    graph = partly(seed).finish()
    data = np.random.default_rng(seed).uniform(-1, 1, (64, 8, 8, 2)).astype(np.float32)
    whole = completed(graph, data, Scheme.named("int8"))
    names = [node.name for node in whole.nodes if isinstance(node.op, FakeQuantize)]
    assert names == ["image.quantized", "n2", "n5.quantized", "n7.quantized"]
    declared = graph.producers["n2"].op
    assert whole.producers["n2"].op == declared
    for name, constant in graph.constants.items():
        if name != "n0.weight":
            assert np.array_equal(whole.constants[name].data, constant.data)
    program = quantize(graph, data)
    assert integers(whole).graph.nodes == program.graph.nodes
    codes = trace(program.graph, {"image": program.quantize_input(data)})["n2"]
    assert codes.min() >= 0
    assert codes.max() <= 15
    wanted = run(graph, data)
    error = np.abs(run_program(program, data) - wanted)
    assert error.mean() < 0.05 * np.abs(wanted).max()


def test_data_is_asked_for_where_it_is_needed() -> None:
    graph = partly(0).finish()
    with pytest.raises(
        QuantizationError, match="at most 8 bits of it; they are not: quantize them"
    ):
        quantize(graph)
    data = np.full((4, 8, 8, 2), np.nan, np.float32)
    with pytest.raises(QuantizationError, match="calibration data must be finite"):
        quantize(graph, data)
