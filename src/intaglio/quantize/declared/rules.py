# SPDX-License-Identifier: Apache-2.0
"""What becomes of each operator of a network with quantizers of its own: one short rule each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import GAIN, UpsampleBilinear
from intaglio.ops.upsample_linear import UpsampleLinear
from intaglio.quantize.declared.carrier import Carrier
from intaglio.quantize.declared.grid import grid_of
from intaglio.quantize.declared.lowering import Lowering, halved
from intaglio.quantize.declared.sources import Made, layer
from intaglio.quantize.declared.sums import Sum

#: How far the code of zero may be from an integer: what float32 makes of a product of two numbers.
ZERO = 1e-4

#: A bias of whole steps is stored as float32, and its step is a product of two such.
BIAS = 2.0**-22

#: What a rule is given: the program so far, the float node, and the node's operator once more.
Rule = Callable[[Lowering, Node, Any], None]


def dot(lowering: Lowering, node: Node, op: Conv2d | ConvTranspose2d | Matmul) -> None:
    """Weighted sums of integers; scale and offset of each channel follow from the weights'."""
    x, weight, bias = node.inputs
    grid = grid_of(lowering.graph.constants[weight].data)
    if grid is None:
        raise QuantizationError(
            f"{node} must have weights that are multiples of a step, at most 8 bits of it; "
            "they are not: quantize them in the model, or give calibration data"
        )
    carrier = uniform(lowering, node, x)
    pads = isinstance(op, ConvTranspose2d) or (isinstance(op, Conv2d) and any(op.padding))
    zero = 0
    if pads and isinstance(op, Conv2d | ConvTranspose2d):
        carrier = centered(lowering, node, carrier)
        zero = code_of(carrier, op.pad_value)
        op = replace(op, pad_value=zero)
    operand = made(carrier)
    scale = carrier.scale[0] * grid.scale * np.ones(len(grid.codes))
    sums = grid.codes.reshape(len(grid.codes), -1).sum(axis=1)
    added = _snapped(lowering.graph.constants[bias].data.astype(np.float64), scale)
    offset = carrier.offset[0] * grid.scale * sums + added
    source = layer(node, op, operand, grid.codes, zero)
    lowering.carry(node.name, Carrier.of(source, scale, offset))


def _snapped(bias: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return a bias that float32 has rounded from whole steps as just these."""
    steps = bias / scale
    whole = np.rint(steps)
    return np.where(np.abs(steps - whole) <= BIAS * np.abs(steps), whole * scale, bias)


def made(carrier: Carrier) -> Made:
    """Return the program's value of a settled carrier."""
    if not isinstance(carrier.source, Made):
        raise TypeError(carrier.source)
    return carrier.source


def uniform(lowering: Lowering, node: Node, name: str) -> Carrier:
    """Return a settled value with one scale and offset for all channels.

    Raises:
        QuantizationError: its channels differ.
    """
    carrier = lowering.settled(node, name)
    if not carrier.uniform:
        raise QuantizationError(
            f"{node} must read a value with one scale for all channels, not {name!r}: "
            "put a quantizer behind it"
        )
    return replace(carrier, scale=carrier.scale[:1], offset=carrier.offset[:1])


def centered(lowering: Lowering, node: Node, carrier: Carrier) -> Carrier:
    """Return codes one of which means zero.

    Raises:
        QuantizationError: none does, nor would between two of them.
    """
    carrier = halved(lowering, carrier)
    steps = -carrier.offset[0] / carrier.scale[0]
    if abs(steps - round(steps)) > ZERO:
        raise QuantizationError(f"{node} must read a value that can be zero: it pads with zero")
    return carrier


def code_of(carrier: Carrier, real: float) -> int:
    """Return the code nearest to a real number."""
    return round((real - carrier.offset[0]) / carrier.scale[0])


def _affine(lowering: Lowering, node: Node, _op: BatchNorm) -> None:
    x, scale, offset = node.inputs
    factors, addends = (
        lowering.graph.constants[name].data.astype(np.float64) for name in (scale, offset)
    )
    if np.all(factors == factors[0]) and np.all(addends == addends[0]):
        factors, addends = factors[:1], addends[:1]
    lowering.carry(node.name, lowering.carriers[x].affine(factors, addends))


def _relu(lowering: Lowering, node: Node, _op: Relu) -> None:
    lowering.carry(node.name, lowering.carriers[node.inputs[0]].clip(0.0, np.inf))


def _clip(lowering: Lowering, node: Node, op: Clip) -> None:
    lowering.carry(node.name, lowering.carriers[node.inputs[0]].clip(op.low, op.high))


def _move(lowering: Lowering, node: Node, op: Operator) -> None:
    """Move codes: a channel's map goes where the channel goes."""
    carrier = lowering.settled(node, node.inputs[0])
    value = lowering.emit(Node(node.name, op, (made(carrier).name,), node.origin))
    scale, offset = (_moved(lowering, node, op, array) for array in (carrier.scale, carrier.offset))
    lowering.carry(node.name, Carrier.of(value, scale, offset))


def _moved(lowering: Lowering, node: Node, op: Operator, array: np.ndarray) -> np.ndarray:
    """Return what becomes of one number a channel.

    Raises:
        QuantizationError: a channel of the result would have several.
    """
    if np.all(array == array[0]):
        return array[:1]
    shape = lowering.graph.types[node.inputs[0]].shape
    frame = np.broadcast_to(array.astype(np.float64), shape)[np.newaxis]
    result = op.evaluate(frame)[0]
    channels = result.reshape(-1, result.shape[-1])[0]
    if not np.all(result == channels):
        raise QuantizationError(
            f"{node} must read a value with one scale for all channels: put a quantizer before it"
        )
    return channels


def _max_pool(lowering: Lowering, node: Node, op: MaxPool) -> None:
    """The largest code is that of the largest number; a rectifier can wait until behind it."""
    carrier = lowering.carriers[node.inputs[0]]
    free = replace(carrier, low=np.array([-np.inf]), high=np.array([np.inf]))
    lowering.carry(node.inputs[0], free)
    settled = lowering.settled(node, node.inputs[0])
    lowering.carry(node.inputs[0], replace(settled, low=carrier.low, high=carrier.high))
    value = lowering.emit(Node(node.name, op, (made(settled).name,), node.origin))
    lowering.carry(node.name, replace(settled, source=value, low=carrier.low, high=carrier.high))


def _average_pool(lowering: Lowering, node: Node, op: AveragePool) -> None:
    """An exact sum, whose scale is smaller by the number of terms."""
    carrier = lowering.settled(node, node.inputs[0])
    if any(op.padding) and not op.count_padding:
        raise QuantizationError(
            f"{node} must divide by one number everywhere, not leave its padding out of the mean: "
            "set count_include_pad=1 or use no padding"
        )
    zero = 0
    if any(op.padding):
        carrier = centered(lowering, node, uniform(lowering, node, node.inputs[0]))
        zero = code_of(carrier, 0.0)
    size = op.kernel[0] * op.kernel[1]
    pool = SumPool(op.kernel, op.stride, op.padding, zero)
    value = lowering.emit(Node(f"{node.name}.sum", pool, (made(carrier).name,), node.origin))
    lowering.carry(node.name, Carrier.of(value, carrier.scale / size, carrier.offset))


def _bilinear(lowering: Lowering, node: Node, _op: UpsampleBilinear) -> None:
    carrier = lowering.settled(node, node.inputs[0])
    rows = lowering.emit(Node(f"{node.name}.rows", UpsampleLinear(0), (made(carrier).name,)))
    value = lowering.emit(Node(f"{node.name}.sum", UpsampleLinear(1), (rows.name,), node.origin))
    lowering.carry(node.name, Carrier.of(value, carrier.scale / GAIN, carrier.offset))


def _pad(lowering: Lowering, node: Node, op: Pad) -> None:
    carrier = centered(lowering, node, uniform(lowering, node, node.inputs[0]))
    padded = replace(op, value=code_of(carrier, op.value))
    value = lowering.emit(Node(node.name, padded, (made(carrier).name,), node.origin))
    lowering.carry(node.name, replace(carrier, source=value))


def _add(lowering: Lowering, node: Node, _op: Add) -> None:
    """The sum of two scaled integers; how exactly they are added is known behind it."""
    operands = tuple(uniform(lowering, node, name) for name in node.inputs)
    offset = sum((c.offset for c in operands), np.zeros(1))
    source = Sum.of(node, operands)
    lowering.carry(node.name, Carrier.of(source, np.ones(1), offset))


def _mul(lowering: Lowering, node: Node, op: Mul) -> None:
    """An exact product of two values around zero."""
    operands = [centered(lowering, node, uniform(lowering, node, name)) for name in node.inputs]
    names = [_zeroed(lowering, node, side, c) for side, c in zip("xy", operands, strict=True)]
    value = lowering.emit(Node(node.name, op, tuple(names), node.origin))
    scale = operands[0].scale * operands[1].scale
    lowering.carry(node.name, Carrier.of(value, scale, np.zeros(1)))


def _zeroed(lowering: Lowering, node: Node, side: str, carrier: Carrier) -> str:
    """Return codes with zero point 0."""
    source, zero = made(carrier), round(-carrier.offset[0] / carrier.scale[0])
    if zero == 0:
        return source.name
    element = IntType.holding(min(source.element.min, 0) - zero, max(source.element.max, 0) - zero)
    one = np.ones(1, dtype=np.int64)
    return lowering.multiply(f"{node.name}.{side}", source, one, 0, -zero, element).name


def _concat(lowering: Lowering, node: Node, op: Concat) -> None:
    """Codes end to end: each channel keeps its own map."""
    parts = [lowering.settled(node, name) for name in node.inputs]
    value = lowering.emit(
        Node(node.name, op, tuple(made(part).name for part in parts), node.origin)
    )
    sizes = [lowering.graph.types[name].channels for name in node.inputs]
    scale, offset = (
        np.concatenate([np.broadcast_to(a, n) for a, n in zip(arrays, sizes, strict=True)])
        for arrays in ([p.scale for p in parts], [p.offset for p in parts])
    )
    lowering.carry(node.name, Carrier.of(value, scale, offset))


def _argmax(lowering: Lowering, node: Node, op: Argmax) -> None:
    carrier = lowering.scores(node, node.inputs[0])
    value = lowering.emit(Node(node.name, op, (made(carrier).name,), node.origin))
    lowering.carry(node.name, Carrier.of(value, np.ones(1), np.zeros(1)))


#: How each operator is made of integers, but for quantizers, which are all alike.
RULES: Mapping[type[Operator], Rule] = {
    Add: _add,
    Argmax: _argmax,
    AveragePool: _average_pool,
    BatchNorm: _affine,
    Clip: _clip,
    Concat: _concat,
    Conv2d: dot,
    ConvTranspose2d: dot,
    DepthToSpace: _move,
    Flatten: _move,
    Matmul: dot,
    MaxPool: _max_pool,
    Mul: _mul,
    Pad: _pad,
    Relu: _relu,
    Reshape: _move,
    Slice: _move,
    Transpose: _move,
    Upsample: _move,
    UpsampleBilinear: _bilinear,
}
