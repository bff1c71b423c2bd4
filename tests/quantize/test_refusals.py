# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.execute import run_program
from intaglio.ops.clip import Clip
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal, small, uniform


def test_bad_calibration_data_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"^calibration data must hold at least one frame"):
        quantize(small(), np.empty((0, 6, 6, 2)))
    with pytest.raises(QuantizationError, match=r"^calibration data must be finite, not NaN"):
        quantize(small(), np.full((1, 6, 6, 2), np.nan))
    with pytest.raises(ModelError, match=r"^data for 'x' must have shape \(N, 6, 6, 2\), not"):
        quantize(small(), np.zeros((1, 2, 6, 6)))


def test_a_bias_that_needs_more_than_32_bits_is_refused() -> None:
    graph = network((3,), ("f", Matmul(), "x", np.full((2, 3), 1e-12), np.ones(2)))
    with pytest.raises(
        QuantizationError, match=r"^matmul 'f' \(/f\): the bias of channel 0 must fit 32 bits"
    ):
        quantize(graph, uniform(1, 4, 3))


def test_integers_wider_than_any_are_refused_by_name() -> None:
    scheme = Scheme(weights="s16", activations="u16")
    graph = network((70_000,), ("f", Matmul(), "x", np.ones((1, 70_000)), np.zeros(1)))
    with pytest.raises(
        ModelError, match=r"^matmul 'f\.acc' .*: an integer's width must be 1\.\.48"
    ):
        quantize(graph, np.ones((1, 70_000)), scheme)


@pytest.mark.parametrize(("low", "high"), [(2.0, 6.0), (-6.0, -2.0)])
def test_a_clip_that_no_code_reaches_is_refused(low: float, high: float) -> None:
    graph = network((3,), ("k", Clip(low, high), "x"))
    with pytest.raises(QuantizationError, match=r"^clip 'k' \(/k\) must clip at a value in its"):
        quantize(graph, uniform(1, 16, 3) - 0.5)
    reached = quantize(graph, np.array([[0.0, low, high]]))
    assert run_program(reached, reached.quantize_input(np.full((1, 3), low))).min() != 0


def test_a_network_without_a_node_is_data_as_it_is() -> None:
    program = quantize(network((3,), outputs=("x",)), normal(1, 4, 3), Scheme.named("w4a4"))
    assert program.graph.nodes == ()


def test_an_operator_without_a_rule_is_refused() -> None:
    class Strange(Relu):
        name = "strange"

    with pytest.raises(
        QuantizationError, match=r"^strange 's' \(/s\) must be one of add, argmax, .* integers$"
    ):
        quantize(network((2,), ("s", Strange(), "x")), normal(1, 2, 2))
