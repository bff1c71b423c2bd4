# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.execute import BATCH, trace
from intaglio.ir.graph import Graph, Value
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.matmul import Matmul
from intaglio.quantize.affine import activation
from intaglio.quantize.calibrate import calibrate
from intaglio.quantize.min_max import MinMax
from intaglio.quantize.ranges import Coding, Range
from tests.quantize.networks import network, normal, small


def extremes(graph: Graph, images: np.ndarray) -> dict[str, Range]:
    """Calibrate every value to its extremes."""
    names = [value.name for value in graph.inputs] + [node.name for node in graph.nodes]
    return calibrate(graph, images, {name: MinMax(as_bytes) for name in names})


def as_bytes(range_: Range) -> Coding:
    return activation(range_, IntType.parse("u8"))


def test_every_value_has_the_range_of_all_batches() -> None:
    graph, images = small(), normal(9, BATCH + 3, 6, 6, 2)
    images[-1] *= 10  # the extremes are in the last, short batch
    found = extremes(graph, images)
    values = trace(graph, {"x": images})
    assert found == {name: Range.of(array) for name, array in values.items()}


def test_images_come_in_the_source_models_order() -> None:
    graph = replace(small(), channels_first=True)
    images = normal(9, 5, 6, 6, 2)
    assert extremes(graph, images.transpose(0, 3, 1, 2)) == extremes(small(), images)


def test_an_observer_sees_batches_of_the_size_asked_for() -> None:
    class Sizes(MinMax):
        def observe(self, values: np.ndarray) -> None:
            seen.append(len(values))
            super().observe(values)

    seen: list[int] = []
    images = normal(9, 7, 6, 6, 2)
    found = calibrate(small(), images, {"r1": Sizes(as_bytes)}, batch=3)
    assert (list(found), seen) == (["r1"], [3, 3, 1])


def test_integers_and_booleans_are_data_too() -> None:
    pixels = np.arange(144, dtype=np.uint8).reshape(2, 6, 6, 2)
    assert extremes(small(), pixels) == extremes(small(), pixels.astype(np.float32))


def test_no_data_is_refused() -> None:
    with pytest.raises(
        QuantizationError, match=r"^calibration data must hold at least one frame, not 0$"
    ):
        extremes(small(), np.empty((0, 6, 6, 2)))


def test_another_shape_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"^data for 'x' must have shape \(N, 6, 6, 2\), not \(3, 5, 6, 2\)$"
    ):
        extremes(small(), np.zeros((3, 5, 6, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_and_named(bad: float) -> None:
    images = normal(9, 4, 6, 6, 2)
    images[2, 1, 1, 0] = bad
    with pytest.raises(
        QuantizationError,
        match=r"^calibration data must be finite, not NaN or infinite as in frame 2 "
        r"\(1 of 4 frames\): leave such frames out$",
    ):
        extremes(small(), images)


def test_other_data_is_refused() -> None:
    with pytest.raises(
        QuantizationError, match=r"^calibration data must be real numbers, not complex64$"
    ):
        extremes(small(), np.zeros((1, 6, 6, 2), dtype=np.complex64))


def test_a_value_that_overflows_is_named() -> None:
    graph = network((2,), ("f", Matmul(), "x", np.full((1, 2), 3e38), np.zeros(1)))
    with pytest.raises(
        QuantizationError, match=r"^value 'f': a range must be finite, not 0\.0\.\.inf$"
    ):
        extremes(graph, np.ones((1, 2)))


def test_a_graph_must_have_one_input() -> None:
    graph = network((2,), ("a", Add(), "x", "x"))
    graph = replace(graph, inputs=(*graph.inputs, Value("y", TensorType((2,), FLOAT32))))
    with pytest.raises(QuantizationError, match=r"^a graph must have one input, not 2$"):
        extremes(graph, np.ones((1, 2)))
