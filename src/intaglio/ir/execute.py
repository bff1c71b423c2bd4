# SPDX-License-Identifier: Apache-2.0
"""Run a graph on arrays: the reference meaning, float or integer, that all else must equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.graph import Graph, Program
from intaglio.ir.types import FloatType

#: Frames evaluated at a time, so that memory does not grow with the batch.
BATCH = 256


def trace(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Evaluate every node and return every activation.

    Shapes: each array [N, *frame of its type].

    Raises:
        ModelError: an input is missing or has another shape or element.
    """
    values: dict[str, np.ndarray] = {}
    for value in graph.inputs:
        if value.name not in inputs:
            raise ModelError(f"input {value.name!r} must be given; it is missing")
        array = np.asarray(inputs[value.name])
        if array.ndim == 0 or array.shape[1:] != value.type.shape:
            raise ModelError(f"input {value.name!r} must be [N]+{value.type}, not {array.shape}")
        if isinstance(value.type.element, FloatType):
            array = array.astype(np.float32)
        elif not np.issubdtype(array.dtype, np.integer) or not value.type.element.contains(array):
            raise ModelError(f"input {value.name!r} must hold {value.type.element} integers")
        values[value.name] = array
    for node in graph.nodes:
        arrays = [
            graph.constants[name].data if name in graph.constants else values[name]
            for name in node.inputs
        ]
        result = node.op.evaluate(*arrays)
        values[node.name] = result.astype(graph.types[node.name].element.dtype, copy=False)
    return values


def batches(count: int, size: int = BATCH) -> Iterator[slice]:
    """Yield slices that cover `count` frames."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def run(graph: Graph, data: np.ndarray) -> np.ndarray:
    """Evaluate the first output for a user's batch, in the source model's axis order.

    Shapes: data [N, *source frame]; result [N, *output frame].
    """
    frames = graph.frames(data)
    return run_frames(graph, frames)


def run_frames(graph: Graph, frames: np.ndarray) -> np.ndarray:
    """Evaluate the first output for frames that already are channels last."""
    name = graph.inputs[0].name
    parts = [trace(graph, {name: frames[part]})[graph.outputs[0]] for part in batches(len(frames))]
    if not parts:
        return np.empty((0, *graph.types[graph.outputs[0]].shape))
    return np.concatenate(parts)


def run_program(program: Program, data: np.ndarray) -> np.ndarray:
    """Evaluate a program on real data: quantise at the entrance, return real numbers."""
    codes = run_frames(program.graph, program.quantize_input(data))
    return program.quantization[program.graph.outputs[0]].dequantize(codes)
