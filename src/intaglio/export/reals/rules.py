# SPDX-License-Identifier: Apache-2.0
"""How each operator on integers is said in reals: one short rule each, all rules in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.reals.steps import requantized, requantized_affine
from intaglio.export.reals.sums import convolution, dense, pooled_mean, transposed_convolution
from intaglio.export.reals.writer import Real, Writer
from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.lookup import Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample

#: What a rule is given: the writer, the node, and the node's operator once more.
Rule = Callable[[Writer, Node, Any], Real]


def written(writer: Writer, node: Node) -> Real:
    """Write a node and return what stands for its integers.

    Raises:
        ModelError: there is no rule, or the rule cannot say this one; the text names the node.
    """
    rule = RULES.get(type(node.op))
    if rule is None:
        known = ", ".join(sorted(op.name for op in RULES))
        raise ModelError(f"{node} must be one of {known} to be said in reals")
    return rule(writer, node, node.op)


def _relu(writer: Writer, node: Node, op: Relu) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    if op.zero_point == x.zero:
        return replace(x, tensor=writer.model.put("Relu", x.tensor, name=node.name))
    return _clipped(writer, node, x, op.zero_point, writer.type(node.inputs[0]).max)


def _clip(writer: Writer, node: Node, op: Clip) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    return _clipped(writer, node, x, int(op.low), int(op.high))


def _clipped(writer: Writer, node: Node, x: Real, low: int, high: int) -> Real:
    bounds = [
        writer.model.floats(float(x.scale[0] * (bound - x.zero)), f"{node.name}/{end}")
        for bound, end in ((low, "low"), (high, "high"))
    ]
    return replace(x, tensor=writer.model.put("Clip", x.tensor, *bounds, name=node.name))


def _max_pool(writer: Writer, node: Node, op: MaxPool) -> Real:
    x = writer.reals[node.inputs[0]]
    tensor = writer.model.put(
        "MaxPool",
        x.tensor,
        name=node.name,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=op.padding,
    )
    return replace(x, tensor=tensor)


def _pad(writer: Writer, node: Node, op: Pad) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    top, left, bottom, right = op.padding
    pads = writer.model.whole([0, 0, top, left, 0, 0, bottom, right], f"{node.name}/pads")
    value = writer.model.floats(float(x.scale[0] * (op.value - x.zero)), f"{node.name}/value")
    return replace(x, tensor=writer.model.put("Pad", x.tensor, pads, value, name=node.name))


def _add(writer: Writer, node: Node, _op: Add) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    x, y = _alike(writer, node, x.scale)
    tensor = writer.model.put("Add", x.tensor, y.tensor, name=node.name)
    return replace(x, tensor=tensor, zero=x.zero + y.zero)


def _mul(writer: Writer, node: Node, _op: Mul) -> Real:
    """Products of codes; the zero points are taken out, as the program multiplies codes."""
    scale = np.array([writer.unit])
    x, y = _alike(writer, node, scale, zero=0)
    tensor = writer.model.put("Mul", x.tensor, y.tensor, name=node.name)
    if writer.unit != 1:
        back = writer.model.floats(1 / writer.unit, f"{node.name}/unit")
        tensor = writer.model.put("Mul", tensor, back)
    return replace(x, tensor=tensor)


def _concat(writer: Writer, node: Node, op: Concat) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    first, second = _alike(writer, node, x.scale, zero=x.zero, turned=False)
    axis = _axis(writer, node, op.axis)
    tensor = writer.model.put("Concat", first.tensor, second.tensor, name=node.name, axis=axis)
    return replace(first, tensor=tensor)


def _alike(
    writer: Writer, node: Node, scale: np.ndarray, zero: int | None = None, *, turned: bool = True
) -> tuple[Real, Real]:
    """Return both operands at one scale, and in one order of elements."""
    orders = {writer.reals[name].turned for name in node.inputs}
    for name in node.inputs:
        if len(orders) > 1 or not turned:
            writer.reals[name] = writer.straight(name)
    first, second = (
        writer.brought(f"{node.name}/{name}", name, scale, zero) for name in node.inputs
    )
    return first, second


def _axis(writer: Writer, node: Node, axis: int) -> int:
    """Return the model's axis for one of the program's frame."""
    rank = len(writer.shape(node.inputs[0]))
    return (2, 3, 1)[axis] if rank == 3 else axis + 1


def _slice(writer: Writer, node: Node, op: Slice) -> Real:
    x = writer.straight(node.inputs[0])
    if len(x.scale) > 1:
        x = writer.uniform(node.name, node.inputs[0])
    axes = [_axis(writer, node, axis) for axis in range(len(op.starts))]
    parts = {"starts": op.starts, "ends": op.stops, "axes": axes, "steps": op.steps}
    names = [writer.model.whole(list(n), f"{node.name}/{key}") for key, n in parts.items()]
    return replace(x, tensor=writer.model.put("Slice", x.tensor, *names, name=node.name))


def _transpose(writer: Writer, node: Node, op: Transpose) -> Real:
    writer.reals[node.inputs[0]] = writer.uniform(node.name, node.inputs[0])
    if len(op.order) != 3:
        x = writer.straight(node.inputs[0])
        order = [0, *(axis + 1 for axis in op.order)]
        return replace(x, tensor=writer.model.put("Transpose", x.tensor, perm=order))
    x = writer.reals[node.inputs[0]]
    ours = (2, 0, 1)  # the program's axes in the order of the model's
    order = [0, *(ours.index(op.order[axis]) + 1 for axis in ours)]
    return replace(x, tensor=writer.model.put("Transpose", x.tensor, name=node.name, perm=order))


def _flatten(writer: Writer, node: Node, _op: Flatten) -> Real:
    x, shape = writer.uniform(node.name, node.inputs[0]), writer.shape(node.inputs[0])
    if len(shape) == 1:
        return x
    tensor = writer.model.put("Flatten", x.tensor, name=node.name)
    moved = len(shape) == 3 and shape[0] * shape[1] > 1 and shape[2] > 1
    return replace(x, tensor=tensor, turned=shape if moved else None)


def _reshape(writer: Writer, node: Node, op: Reshape) -> Real:
    writer.reals[node.inputs[0]] = writer.uniform(node.name, node.inputs[0])
    x = writer.channels_last(node.inputs[0])
    tensor = writer.channels_first(writer.reshaped(x.tensor, op.shape), op.shape)
    return replace(x, tensor=tensor)


def _upsample(writer: Writer, node: Node, op: Upsample) -> Real:
    x = writer.reals[node.inputs[0]]
    scales = writer.model.floats(np.array([1, 1, *op.factors]), f"{node.name}/scales")
    tensor = writer.model.put(
        "Resize",
        x.tensor,
        "",
        scales,
        name=node.name,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return replace(x, tensor=tensor)


def _depth_to_space(writer: Writer, node: Node, op: DepthToSpace) -> Real:
    x = writer.uniform(node.name, node.inputs[0])
    if op.block[0] != op.block[1]:
        raise ModelError(f"{node} must have a square block for ONNX, not {op.block}")
    tensor = writer.model.put(
        "DepthToSpace", x.tensor, name=node.name, blocksize=op.block[0], mode=op.mode.upper()
    )
    return replace(x, tensor=tensor)


def _lookup(writer: Writer, node: Node, op: Lookup) -> Real:
    """Codes again, by rounding; they address a table of reals."""
    x = writer.uniform(node.name, node.inputs[0])
    step = writer.model.floats(float(x.scale[0]), f"{node.name}/step")
    first = writer.model.floats(float(x.zero - op.lowest), f"{node.name}/first")
    codes = writer.model.put("Round", writer.model.put("Div", x.tensor, step))
    index = writer.model.put("Cast", writer.model.put("Add", codes, first), to=7)
    scale, zero = np.array([writer.scale(node.name)]), writer.zero(node.name, 0)
    table = writer.program.graph.constants[node.inputs[1]].data
    reals = writer.model.floats(scale * (table.astype(np.int64) - zero), f"{node.name}/table")
    return Real(writer.model.put("Gather", reals, index, name=node.name), scale, zero, x.turned)


def _argmax(writer: Writer, node: Node, _op: Argmax) -> Real:
    writer.reals[node.inputs[0]] = writer.uniform(node.name, node.inputs[0])
    x = writer.straight(node.inputs[0])
    index = writer.model.put("ArgMax", x.tensor, axis=1, keepdims=1)
    return Real(writer.model.put("Cast", index, name=node.name, to=1), np.ones(1), 0)


RULES: Mapping[type[Operator], Rule] = {
    Add: _add,
    Argmax: _argmax,
    Clip: _clip,
    Concat: _concat,
    Conv2d: convolution,
    ConvTranspose2d: transposed_convolution,
    DepthToSpace: _depth_to_space,
    Flatten: _flatten,
    Lookup: _lookup,
    Matmul: dense,
    MaxPool: _max_pool,
    Mul: _mul,
    Pad: _pad,
    Relu: _relu,
    Requantize: requantized,
    RequantizeAffine: requantized_affine,
    Reshape: _reshape,
    Slice: _slice,
    SumPool: pooled_mean,
    Transpose: _transpose,
    Upsample: _upsample,
}
