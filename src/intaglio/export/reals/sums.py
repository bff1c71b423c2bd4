# SPDX-License-Identifier: Apache-2.0
"""Weighted sums and means in reals: the layers whose scales are chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.layers import turn
from intaglio.export.reals.steps import staircase
from intaglio.export.reals.writer import SUM_BITS, Codes, Real, Writer
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.matmul import Matmul
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.windows import Padding

BIAS = IntType(32, signed=True)


def convolution(writer: Writer, node: Node, op: Conv2d) -> Real:
    """Write a convolution: its weights get the scales that its requantizer asks for."""
    x = _padded(writer, node, op.padding, op.pad_value)
    inside = op.pad_value == x.zero
    weight = writer.program.graph.constants[node.inputs[1]].data
    attributes = {
        "kernel_shape": weight.shape[1:3],
        "strides": op.stride,
        "pads": op.padding if inside else (0, 0, 0, 0),
        "dilations": op.dilation,
        "group": op.groups,
    }
    return _sum(writer, node, x, "Conv", weight.transpose(0, 3, 1, 2), 0, attributes)


def transposed_convolution(writer: Writer, node: Node, op: ConvTranspose2d) -> Real:
    """Write a transposed convolution, whose weights ONNX has by input channel.

    Raises:
        ModelError: the places between pixels are not zero.
    """
    x = writer.uniform(node.name, node.inputs[0])
    if op.pad_value != x.zero:
        raise ModelError(f"{node} must have zero between its pixels, not code {op.pad_value}")
    weight = writer.program.graph.constants[node.inputs[1]].data
    outputs, *kernel, inputs = weight.shape
    grouped = weight.reshape(op.groups, outputs // op.groups, *kernel, inputs)
    turned = grouped.transpose(0, 4, 1, 2, 3).reshape(op.groups * inputs, -1, *kernel)
    attributes = {
        "kernel_shape": kernel,
        "strides": op.stride,
        "pads": op.padding,
        "output_padding": op.output_padding,
        "dilations": op.dilation,
        "group": op.groups,
    }
    axis = 1 if op.groups == 1 else -1
    return _sum(writer, node, x, "ConvTranspose", turned, axis, attributes)


def dense(writer: Writer, node: Node, _op: Matmul) -> Real:
    """Write a dense layer; of a vector that was an image the model's order is the weights'."""
    x = writer.uniform(node.name, node.inputs[0])
    weight = writer.program.graph.constants[node.inputs[1]].data
    if x.turned is not None:
        weight, x = turn(weight, x.turned), replace(x, turned=None)
    return _sum(writer, node, x, "Gemm", weight, 0, {"transB": 1})


def _sum(
    writer: Writer,
    node: Node,
    x: Real,
    op: str,
    weight: np.ndarray,
    axis: int,
    attributes: dict[str, Any],
) -> Real:
    """Write a layer. Shapes: weight as ONNX has it, outputs on `axis`, or -1 if on none."""
    constants = writer.program.graph.constants
    bias = constants[node.inputs[2]].data.astype(np.int64)
    scale = _sum_scale(writer, node, len(bias)) if axis >= 0 else None
    owes, scale = scale is not None, x.scale if scale is None else scale
    sums = constants[node.inputs[1]].data.reshape(len(bias), -1).astype(np.int64)
    total = bias + x.zero * sums.sum(axis=1)
    if not BIAS.contains(total):
        raise ModelError(f"{node} must have a bias of 32 bits, not {total.min()}..{total.max()}")
    codes = writer.type(node.inputs[0])
    largest = max(abs(codes.min - x.zero), abs(codes.max - x.zero))
    if (np.abs(sums).sum(axis=1) * largest + np.abs(total)).max() >= 1 << SUM_BITS:
        writer.inexact.append(node.name)
    dialect, model = writer.dialect, writer.model
    how = Codes(constants[node.inputs[1]].type.integer, scale / x.scale)
    names = [
        dialect.weight(model, weight, how, axis, f"{node.name}/weight"),
        dialect.weight(model, total, Codes(BIAS, scale), 0, f"{node.name}/bias"),
    ]
    tensor = model.put(op, x.tensor, *names, name=node.name, **attributes)
    kept = np.float32(total) * np.float32(scale)
    owed = total * scale - kept.astype(np.float64) if owes else np.zeros(1)
    return Real(tensor, scale, 0, owed=owed)


def _sum_scale(writer: Writer, node: Node, outputs: int) -> np.ndarray | None:
    """Return the scales of a sum at which its sole reader, a requantizer, does not multiply."""
    reader = writer.sole_reader(node.name)
    found = staircase(writer, reader) if reader is not None else None
    if reader is None or found is None or np.any(found.slope <= 0):
        return None
    scale = writer.scale(reader.name) * found.slope
    return scale if len(scale) == 1 else np.broadcast_to(scale, outputs)


def pooled_mean(writer: Writer, node: Node, op: SumPool) -> Real:
    """Write the sum of a window as its mean: codes of a scale as many times finer."""
    x = _padded(writer, node, op.padding, op.pad_value)
    inside, count = op.pad_value == x.zero, op.kernel[0] * op.kernel[1]
    tensor = writer.model.put(
        "AveragePool",
        x.tensor,
        name=node.name,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=op.padding if inside else (0, 0, 0, 0),
        count_include_pad=1,
    )
    if count & (count - 1):
        writer.inexact.append(node.name)
    return Real(tensor, x.scale / count, x.zero * count)


def _padded(writer: Writer, node: Node, padding: Padding, value: int) -> Real:
    """Return the operand of a window; where padding is not zero, it is put around it here."""
    x = writer.uniform(node.name, node.inputs[0])
    if value == x.zero or not any(padding):
        return x
    top, left, bottom, right = padding
    pads = writer.model.whole([0, 0, top, left, 0, 0, bottom, right], f"{node.name}/pads")
    real = writer.model.floats(float(x.scale[0] * (value - x.zero)), f"{node.name}/border")
    return replace(x, tensor=writer.model.put("Pad", x.tensor, pads, real))
