# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.execute import BATCH, trace
from intaglio.ir.graph import Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.ops.add import Add
from intaglio.ops.matmul import Matmul
from intaglio.quantize.calibrate import calibrate
from intaglio.quantize.min_max import min_max
from intaglio.quantize.ranges import Range
from tests.quantize.networks import network, normal, small


def test_every_value_has_the_range_of_all_batches() -> None:
    graph, images = small(), normal(9, BATCH + 3, 6, 6, 2)
    images[-1] *= 10  # the extremes are in the last, short batch
    found = calibrate(graph, images)
    values = trace(graph, {"x": images})
    assert found == {name: min_max(array) for name, array in values.items()}


def test_images_come_in_the_source_models_order() -> None:
    graph = replace(small(), channels_first=True)
    images = normal(9, 5, 6, 6, 2)
    assert calibrate(graph, images.transpose(0, 3, 1, 2)) == calibrate(small(), images)


def test_an_estimator_is_a_function() -> None:
    found = calibrate(small(), normal(9, 4, 6, 6, 2), lambda _: Range(-1.0, 2.0))
    assert set(found.values()) == {Range(-1.0, 2.0)}


def test_integers_and_booleans_are_data_too() -> None:
    pixels = np.arange(144, dtype=np.uint8).reshape(2, 6, 6, 2)
    assert calibrate(small(), pixels) == calibrate(small(), pixels.astype(np.float32))


def test_no_data_is_refused() -> None:
    with pytest.raises(
        QuantizationError, match=r"^calibration data must hold at least one frame, not 0$"
    ):
        calibrate(small(), np.empty((0, 6, 6, 2)))


def test_another_shape_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"^data for 'x' must have shape \(N, 6, 6, 2\), not \(3, 5, 6, 2\)$"
    ):
        calibrate(small(), np.zeros((3, 5, 6, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_and_named(bad: float) -> None:
    images = normal(9, 4, 6, 6, 2)
    images[2, 1, 1, 0] = bad
    with pytest.raises(
        QuantizationError,
        match=r"^calibration data must be finite, not NaN or infinite as in frame 2 "
        r"\(1 of 4 frames\): leave such frames out$",
    ):
        calibrate(small(), images)


def test_other_data_is_refused() -> None:
    with pytest.raises(
        QuantizationError, match=r"^calibration data must be real numbers, not complex64$"
    ):
        calibrate(small(), np.zeros((1, 6, 6, 2), dtype=np.complex64))


def test_a_value_that_overflows_is_named() -> None:
    graph = network((2,), ("f", Matmul(), "x", np.full((1, 2), 3e38), np.zeros(1)))
    with pytest.raises(
        QuantizationError, match=r"^value 'f': a range must be finite, not 0\.0\.\.inf$"
    ):
        calibrate(graph, np.ones((1, 2)))


def test_a_graph_must_have_one_input() -> None:
    graph = network((2,), ("a", Add(), "x", "x"))
    graph = replace(graph, inputs=(*graph.inputs, Value("y", TensorType((2,), FLOAT32))))
    with pytest.raises(QuantizationError, match=r"^a graph must have one input, not 2$"):
        calibrate(graph, np.ones((1, 2)))
