# SPDX-License-Identifier: Apache-2.0
"""Run the float graph on real data and note the range of every value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

from intaglio.errors import QuantizationError
from intaglio.ir.execute import BATCH, batches, trace
from intaglio.ir.graph import Graph
from intaglio.quantize.ranges import Observer, Range


def calibrate(
    graph: Graph, images: np.ndarray, observers: Mapping[str, Observer], batch: int = BATCH
) -> dict[str, Range]:
    """Return the ranges of the values that are observed; they are seen so many frames at a time.

    Raises:
        ModelError: the data has another shape than the graph's input.
        QuantizationError: there is no data, a number is not finite, or a value overflows.
    """
    if len(graph.inputs) != 1:
        raise QuantizationError(f"a graph must have one input, not {len(graph.inputs)}")
    frames = _finite(graph, images)
    parts = list(batches(len(frames), batch))
    for part in tqdm(parts, "calibrate", leave=False, delay=2, unit=f"x{batch} frames"):
        with np.errstate(over="ignore", invalid="ignore"):  # found below, and named
            values = trace(graph, {graph.inputs[0].name: frames[part]})
        for name, observer in observers.items():
            try:
                observer.observe(values[name])
            except QuantizationError as error:
                raise QuantizationError(f"value {name!r}: {error}") from None
    return {name: observer.range() for name, observer in observers.items()}


def _finite(graph: Graph, images: np.ndarray) -> np.ndarray:
    """Return the data in the graph's own shape, proven to be numbers."""
    frames = graph.frames(images)
    if len(frames) == 0:
        raise QuantizationError("calibration data must hold at least one frame, not 0")
    if frames.dtype.kind not in "biuf":
        raise QuantizationError(f"calibration data must be real numbers, not {frames.dtype}")
    bad = ~np.isfinite(frames).reshape(len(frames), -1).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        raise QuantizationError(
            f"calibration data must be finite, not NaN or infinite as in frame {first} "
            f"({int(bad.sum())} of {len(frames)} frames): leave such frames out"
        )
    return frames
