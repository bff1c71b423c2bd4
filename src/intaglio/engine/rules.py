# SPDX-License-Identifier: Apache-2.0
"""How each operator runs on the kernels: one short rule for each, all rules in one table.

A rule that is written for some attributes refuses an operator that has got others since, so that
nothing is ever left out in silence; so does the check of every engine against the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from intaglio.engine.assembly import WIDE, Assembly, Instruction, Kind, NoKernelError
from intaglio.engine.dots import Dot, put_dot, scale_words
from intaglio.ir.graph import Node
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.lookup import Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.pad import Pad
from intaglio.ops.pool import Pool
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample

#: What a rule is given: the tape so far, the node, its operator once more. It returns the name of
#: the last value it made, where that is a later node's.
Rule = Callable[[Assembly, Node, Any], str | None]


def _attributes(op: Operator, **defaults: Any) -> dict[str, Any]:
    """Return an operator's attributes, with defaults for those it may lack.

    Raises:
        NoKernelError: it has one that the rule does not know.
    """
    found = op.attributes()
    if unknown := sorted(found.keys() - defaults.keys()):
        raise NoKernelError(f"{op.name} must have attributes its kernel knows, not {unknown[0]!r}")
    return defaults | found


def _conv2d(assembly: Assembly, node: Node, op: Conv2d) -> str:
    known = _attributes(
        op, stride=(1, 1), padding=(0, 0, 0, 0), pad_value=0, dilation=(1, 1), groups=1
    )
    x, weight, bias = node.inputs
    height, width, channels = assembly.graph.types[x].shape
    rows, columns, _ = assembly.graph.types[node.name].shape
    dot = Dot(
        image=(height, width, channels),
        padding=tuple(known["padding"]),
        pad_value=known["pad_value"],
        stride=tuple(known["stride"]),
        dilation=tuple(known["dilation"]),
        groups=known["groups"],
        weight=assembly.graph.constants[weight].data,
        bias=assembly.graph.constants[bias].data,
        window=(rows, columns),
    )
    return put_dot(assembly, node, dot)


def _matmul(assembly: Assembly, node: Node, op: Matmul) -> str:
    """A dense layer is a convolution over one pixel."""
    _attributes(op)
    weight = assembly.graph.constants[node.inputs[1]].data
    outputs, inputs = weight.shape
    dot = Dot(
        image=(1, 1, inputs),
        padding=(0, 0, 0, 0),
        pad_value=0,
        stride=(1, 1),
        dilation=(1, 1),
        groups=1,
        weight=weight.reshape(outputs, 1, 1, inputs),
        bias=assembly.graph.constants[node.inputs[2]].data,
        window=(1, 1),
    )
    return put_dot(assembly, node, dot)


def _requantize(assembly: Assembly, node: Node, op: Requantize) -> None:
    x, multiplier = node.inputs
    factors = assembly.graph.constants[multiplier].data.astype(np.int64)
    assembly.put(
        Instruction.REQUANTIZE,
        *assembly.places[x].words,
        assembly.graph.types[x].size,
        *assembly.place(node.name).words,
        *scale_words(op, int(factors.max()), assembly.constant(factors), factors.size),
    )


def _requantize_affine(assembly: Assembly, node: Node, op: RequantizeAffine) -> None:
    known = _attributes(op, shift=0, zero_point=0, element="", ties="up")
    x, *numbers = node.inputs
    size = max(assembly.graph.constants[name].data.size for name in numbers)
    columns = [np.broadcast_to(assembly.graph.constants[name].data, size) for name in numbers]
    assembly.put(
        Instruction.REQUANTIZE_AFFINE,
        *assembly.places[x].words,
        assembly.graph.types[x].size,
        *assembly.place(node.name).words,
        assembly.constant(np.stack(columns, axis=1).astype(np.int64)),
        size,
        op.shift,
        op.zero_point,
        op.element.min,
        op.element.max,
        {"up": -1, "even": 1, "odd": 0}[known["ties"]],
    )


def _max_pool(assembly: Assembly, node: Node, op: MaxPool) -> None:
    _attributes(op, kernel=(), stride=(), padding=())
    kind = assembly.places[node.inputs[0]].kind
    assembly.place(node.name, (kind,))
    _put_pool(assembly, Instruction.MAX_POOL, node, op, kind)


def _sum_pool(assembly: Assembly, node: Node, op: SumPool) -> None:
    _attributes(op, kernel=(), stride=(), padding=(), pad_value=0)
    kind = assembly.place(node.name, WIDE).kind
    _put_pool(assembly, Instruction.SUM_POOL, node, op, kind, op.pad_value)


def _put_pool(
    assembly: Assembly,
    instruction: Instruction,
    node: Node,
    op: Pool,
    kind: Kind,
    pad_value: int = 0,
) -> None:
    height, width, channels = assembly.graph.types[node.inputs[0]].shape
    rows, columns, _ = assembly.graph.types[node.name].shape
    assembly.put(
        instruction,
        *assembly.places[node.inputs[0]].words,
        *(height, width, channels),
        *(*op.padding, pad_value),
        assembly.room(width * channels, kind).offset,
        *(rows, columns, *op.stride),
        *op.kernel,
        *assembly.places[node.name].words,
    )


def _add(assembly: Assembly, node: Node, op: Add) -> None:
    _attributes(op)
    _put_pair(assembly, Instruction.ADD, node, assembly.graph.types[node.name].size)


def _mul(assembly: Assembly, node: Node, op: Mul) -> None:
    _attributes(op)
    _put_pair(assembly, Instruction.MULTIPLY, node, assembly.graph.types[node.name].size)


def _batch_matmul(assembly: Assembly, node: Node, op: BatchMatmul) -> None:
    _attributes(op)
    *matrices, rows, inner = assembly.graph.types[node.inputs[0]].shape
    columns = assembly.graph.types[node.name].channels
    sizes = math.prod(matrices), rows, inner, columns
    _put_pair(assembly, Instruction.BATCH_MATMUL, node, *sizes)


def _put_pair(assembly: Assembly, instruction: Instruction, node: Node, *sizes: int) -> None:
    x, y = (assembly.places[name].words for name in node.inputs)
    assembly.put(instruction, *x, *y, *sizes, *assembly.place(node.name, WIDE).words)


def _concat(assembly: Assembly, node: Node, op: Concat) -> None:
    """A turn is a place of the axes before the one that is joined along."""
    _attributes(op, axis=0)
    shapes = [assembly.graph.types[name].shape for name in node.inputs]
    runs = [math.prod(shape[op.axis :]) for shape in shapes]
    x, y = (assembly.places[name].words for name in node.inputs)
    z = assembly.place(node.name).words
    assembly.put(Instruction.CONCAT, *x, *y, math.prod(shapes[0][: op.axis]), *runs, *z)


def _lookup(assembly: Assembly, node: Node, op: Lookup) -> None:
    _attributes(op, lowest=0)
    x, table = node.inputs
    y = assembly.place(node.name)
    assembly.put(
        Instruction.LOOKUP,
        *assembly.places[x].words,
        assembly.graph.types[x].size,
        *y.words,
        assembly.constant(assembly.graph.constants[table].data.astype(y.kind.dtype)),
        op.lowest,
    )


def _relu(assembly: Assembly, node: Node, op: Relu) -> None:
    _attributes(op, zero_point=0)
    highest = assembly.graph.types[node.inputs[0]].integer.max
    _clamp(assembly, node, op.zero_point, max(highest, op.zero_point))


def _clip(assembly: Assembly, node: Node, op: Clip) -> None:
    _attributes(op, low=0, high=0)
    _clamp(assembly, node, int(op.low), int(op.high))


def _clamp(assembly: Assembly, node: Node, low: int, high: int) -> None:
    x, size = assembly.places[node.inputs[0]], assembly.graph.types[node.name].size
    y = assembly.place(node.name)
    assembly.put(Instruction.CLAMP, *x.words, size, *y.words, low, high)


def _pad(assembly: Assembly, node: Node, op: Pad) -> None:
    _attributes(op, padding=(), value=0)
    _move(assembly, node, Pad(op.padding, -1), op.value)


def _move(assembly: Assembly, node: Node, op: Operator, value: int = 0) -> None:
    """Run any operator that only moves elements: evaluated on positions it tells which goes where.

    A negative position stands for `value`.
    """
    type_ = assembly.graph.types[node.inputs[0]]
    positions = np.arange(type_.size, dtype=np.int32).reshape(1, *type_.shape)
    moved = op.evaluate(positions).ravel()
    assembly.put(
        Instruction.MOVE,
        *assembly.places[node.inputs[0]].words,
        moved.size,
        *assembly.place(node.name).words,
        assembly.constant(moved.astype(np.int32)),
        value,
    )


def _stay(assembly: Assembly, node: Node, _op: Reshape | Flatten) -> None:
    """Nothing moves: the value lies where its operand does."""
    assembly.places[node.name] = assembly.places[node.inputs[0]]


def _argmax(assembly: Assembly, node: Node, op: Argmax) -> None:
    _attributes(op)
    x = node.inputs[0]
    size, y = assembly.graph.types[x].size, assembly.place(node.name, WIDE)
    assembly.put(Instruction.ARGMAX, *assembly.places[x].words, size, *y.words)


#: How each operator runs. A program with any other is run by the reference.
RULES: Mapping[type[Operator], Rule] = {
    Add: _add,
    Argmax: _argmax,
    BatchMatmul: _batch_matmul,
    Clip: _clip,
    Concat: _concat,
    Conv2d: _conv2d,
    DepthToSpace: _move,
    Flatten: _stay,
    Lookup: _lookup,
    Matmul: _matmul,
    MaxPool: _max_pool,
    Mul: _mul,
    Pad: _pad,
    Relu: _relu,
    Requantize: _requantize,
    RequantizeAffine: _requantize_affine,
    Reshape: _stay,
    Slice: _move,
    SumPool: _sum_pool,
    Transpose: _move,
    Upsample: _move,
}
