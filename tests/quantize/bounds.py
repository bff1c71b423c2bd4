# SPDX-License-Identifier: Apache-2.0
"""How far integers may be from floats, computed from the scales and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from intaglio.ir.graph import Graph, Node, Program
from intaglio.ops.add import Add
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.function import Function
from intaglio.ops.matmul import Matmul
from intaglio.ops.mul import Mul
from intaglio.ops.requantize import Requantize
from intaglio.ops.upsample_bilinear import UpsampleBilinear

#: The steepest slope of functions that are steeper than 1 somewhere.
SLOPES = {"gelu": 1.13, "gelu_tanh": 1.13, "hard_swish": 1.5, "mish": 1.09, "silu": 1.1}


def error_bounds(
    graph: Graph, program: Program, real: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Bound |dequantised - float| of every value on the data that the ranges come from."""
    found = {"x": step(program, "x") * 1.0}
    for node in graph.nodes:
        match node.op:
            case Conv2d() | ConvTranspose2d() | Matmul():
                bound = dot(graph, program, node, found, real)
            case Add():
                common = step(program, f"{node.name}.acc")
                bound = sum(found[name] for name in node.inputs) + 2 * common
            case Concat():
                recoded = (f"{node.name}.{operand}" for operand in node.op.operands)
                bound = max(
                    found[name]
                    + (
                        2 * step(program, twin) + drift(program, twin)
                        if twin in program.quantization
                        else 0.0
                    )
                    for name, twin in zip(node.inputs, recoded, strict=True)
                )
            case Mul() | BatchMatmul():
                (dx, dy), (x, y) = zip(
                    *((found[n], np.abs(real[n]).max()) for n in node.inputs), strict=True
                )
                terms = real[node.inputs[0]].shape[-1] if isinstance(node.op, BatchMatmul) else 1
                bound = terms * float(dx * y + dy * x + dx * dy)
            case AveragePool() | UpsampleBilinear():
                bound = found[node.inputs[0]]
                found[node.name] = (
                    bound + step(program, node.name) * 0.5 + drift(program, node.name)
                )
                continue
            case Function():
                operand = node.inputs[0]
                coarser = f"{node.name}.index" in program.graph.types
                index = (
                    step(program, operand) * 2.0 ** shift(program, node.name) if coarser else 0.0
                )
                bound = SLOPES.get(node.op.kind, 1.0) * (found[operand] + index)
            case _:
                bound = max(found[name] for name in node.inputs)
        if f"{node.name}.acc" in program.quantization:
            found[f"{node.name}.acc"] = bound
        producer = program.graph.producers.get(node.name)
        if node.name in program.quantization and not (
            producer is not None and type(producer.op) is type(node.op)
        ):
            bound += step(program, node.name) * 1.5 + drift(program, node.name)
        found[node.name] = bound
    return found


def dot(
    graph: Graph,
    program: Program,
    node: Node,
    found: Mapping[str, float],
    real: Mapping[str, np.ndarray],
) -> float:
    """Bound sum |w| dx + sum |dw| (|x| + dx) + the bias's half step."""
    x = node.inputs[0]
    exact = graph.constants[node.inputs[1]].data.astype(np.float64)
    scale = np.array(program.quantization[f"{node.name}.acc"].scale)
    codes = program.graph.constants[f"{node.name}.weight"].data
    columns = scale.reshape(-1, *[1] * (exact.ndim - 1)) / step(program, x)
    axes = tuple(range(1, exact.ndim))
    weight_error = np.abs(codes * columns - exact).sum(axis=axes)
    largest = np.abs(real[x]).max() + found[x]
    total = np.abs(exact).sum(axis=axes) * found[x] + weight_error * largest + scale / 2
    return float(total.max()) + 1e-4 * float(np.abs(real[node.name]).max())  # float32 itself


def shift(program: Program, name: str) -> int:
    """Return by how many bits the operand of a table is shortened."""
    op = program.graph.producers[f"{name}.index"].op
    assert isinstance(op, Requantize)
    return op.shift


def step(program: Program, name: str) -> float:
    return max(program.quantization[name].scale)


def drift(program: Program, name: str) -> float:
    """Bound what a multiplier's rounding adds: the accumulator's extreme times its error."""
    node = program.graph.producers.get(name)
    if node is None or not isinstance(node.op, Requantize):
        node = program.graph.producers.get(f"{name}.wide")
    if node is None or not isinstance(node.op, Requantize):
        return 0.0
    source = program.graph.types[node.inputs[0]].integer
    return max(-source.min, source.max) * 2.0 ** -(node.op.shift + 1) * step(program, name)
