# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.ir.execute import trace
from intaglio.ir.graph import Graph, Program
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.relu import Relu
from intaglio.quantize.declared import has_quantizers, integers
from tests.quantize.declared.networks import Network, network, reals


def compared(graph: Graph, program: Program, seed: int) -> None:
    """Compare the result, and every value that both have and whose integers have a meaning."""
    frames = np.random.default_rng(seed).integers(-4, 20, (8, *graph.inputs[0].type.shape)) / 16
    found = trace(program.graph, {graph.inputs[0].name: program.quantize_input(frames)})
    names = [n.name for n in graph.nodes if n.name in program.quantization and n.name in found]
    known = {name: program.quantization[name].dequantize(found[name]) for name in names}
    wanted = reals(graph, frames, known)
    for name in names:
        assert np.allclose(known[name], wanted[name], rtol=1e-6, atol=1e-6), name
    last = program.graph.outputs[0]
    meant = program.quantization[last].dequantize(found[last])
    assert np.allclose(meant, wanted[graph.outputs[0]], rtol=1e-5, atol=1e-5)


@given(st.integers(0, 1 << 32), st.booleans())
def test_every_code_is_that_of_real_arithmetic(seed: int, dyadic: bool) -> None:
    graph = network(seed, dyadic=dyadic)
    try:
        program = integers(graph)
    except QuantizationError as error:
        # Some random networks ask for what no integers give; none is ever wrong.
        assert any(  # noqa: PT017
            text in str(error)
            for text in (
                "must read a value that can be zero",
                "must read a value with one scale for all channels",
                "must read a value whose rectifier has a quantizer behind it",
                "must have evenly spaced thresholds",
            )
        )
        return
    compared(graph, program, seed)


def plain(seed: int = 0) -> Network:
    net = Network(seed, (6, 5, 2), dyadic=False)
    net.put(FakeQuantize((1 / 16,), 0, 0, 15))
    return net


def test_most_networks_have_integers() -> None:
    done = 0
    for seed in range(40):
        try:
            integers(network(seed, dyadic=False))
        except QuantizationError:
            continue
        done += 1
    assert done >= 35


def test_batch_norm_and_relu_cost_nothing_between_layer_and_quantizer() -> None:
    net = plain()
    net.layer()
    net.normalize()
    net.put(Relu())
    net.quantize()
    program = integers(net.finish())
    names = [node.op.name for node in program.graph.nodes]
    assert names[1] in ("requantize", "requantize_affine")
    assert names[2:] == ["flatten", "matmul"]


def test_weights_off_any_step_are_refused_by_node() -> None:
    net = plain()
    weight = np.random.default_rng(0).standard_normal((3, 2, 2, 2))
    net.put(Conv2d(), weight=weight, bias=np.zeros(3))
    net.quantize()
    message = r"conv2d 'n1' must have weights that are multiples of a step, at most 8 bits of it"
    with pytest.raises(QuantizationError, match=message):
        integers(net.finish())


def test_an_input_as_it_is_is_refused() -> None:
    net = Network(0, (6, 5, 2), dyadic=False)
    net.layer()
    net.quantize()
    with pytest.raises(
        QuantizationError, match="must read a value with a quantizer, not the input"
    ):
        integers(net.finish())


def test_a_scale_a_channel_needs_a_quantizer_before_the_next_layer() -> None:
    net = plain()
    net.put(BatchNorm(), scale=np.array([1.0, 2.0]), offset=np.zeros(2))
    with pytest.raises(
        QuantizationError, match="must read a value with one scale for all channels"
    ):
        integers(net.finish())


def test_an_addend_off_the_steps_of_the_result_is_rounded_and_said() -> None:
    net = plain()
    graph = net.finish()
    bias = dict(graph.constants)
    assert integers(graph).notes == ()
    net.nodes.pop()
    net.x = net.nodes[-1].name
    net.put(
        type(graph.nodes[-1].op)(),
        weight=bias["n2.weight"].data,
        bias=np.full(5, 0.0123),
    )
    moved = Graph("net", (net.input,), tuple(net.nodes), (net.x,), net.constants)
    (note,) = integers(moved).notes
    assert "what is added to the result is rounded to a multiple of 0.00267 at most" in note


def test_only_networks_with_quantizers_have_integers_of_their_own() -> None:
    assert has_quantizers(network(3, dyadic=True))
    net = Network(0, (6, 5, 2), dyadic=True)
    net.layer()
    assert not has_quantizers(net.finish())
