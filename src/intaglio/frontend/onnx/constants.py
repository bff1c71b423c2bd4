# SPDX-License-Identifier: Apache-2.0
"""Nodes whose operands are all known: weights that are reshaped, shapes that are computed.

Exporters write a flatten as Shape, Gather, Unsqueeze, Concat, Reshape. What needs no activation is
computed here while reading, with numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from intaglio.frontend.builder import UnsupportedError

if TYPE_CHECKING:
    from intaglio.frontend.onnx.call import Call

#: No constant that is computed while reading may be larger.
MAX_CONSTANT = 1 << 26


def evaluate(call: Call) -> np.ndarray:
    """Compute a node from its constant operands.

    Raises:
        UnsupportedError: the operator is not among those, or its operands do not fit it.
    """
    function = _FUNCTIONS.get(call.node.op)
    if function is None or call.node.domain:
        raise UnsupportedError("its operands are constants, of which it is not computed here")
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(function(call))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise UnsupportedError(f"its constant operands do not fit it: {error}") from None
    _limit(result.shape)
    return result


def _limit(shape: Sequence[int]) -> None:
    size = 1
    for n in shape:
        size *= max(int(n), 1)
    if size > MAX_CONSTANT:
        raise UnsupportedError(f"a constant must have at most {MAX_CONSTANT} elements, not {size}")


def _constant(call: Call) -> np.ndarray:
    found = {
        k: v for k, v in call.node.attributes.items() if k.startswith("value") and v is not None
    }
    if len(found) != 1 or "value_string" in found or "value_strings" in found:
        raise UnsupportedError("a constant must be an array of numbers")
    ((key, value),) = found.items()
    dtype = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64}
    return np.asarray(value) if key == "value" else np.asarray(value, dtype.get(key, np.int64))


def _cast(call: Call) -> np.ndarray:
    from intaglio.frontend.onnx.source import DTYPES

    target = call.integer("to", 1)
    if target not in DTYPES:
        raise UnsupportedError(f"a constant must be cast to numbers, not to type {target}")
    return call.array(0).astype(DTYPES[target])


def _reshape(call: Call) -> np.ndarray:
    array, target = call.array(0), [int(n) for n in call.array(1).ravel()]
    if not call.integer("allowzero", 0):
        target = [array.shape[i] if n == 0 else n for i, n in enumerate(target)]
    return array.reshape(target)


def _squeeze(call: Call) -> np.ndarray:
    axes = call.axes(1)
    return np.squeeze(call.array(0), None if axes is None else tuple(axes))


def _unsqueeze(call: Call) -> np.ndarray:
    return np.expand_dims(call.array(0), tuple(call.axes(1) or ()))


def _concat(call: Call) -> np.ndarray:
    return np.concatenate(
        [call.array(i) for i in range(len(call.operands))], call.integer("axis", 0)
    )


def _gather(call: Call) -> np.ndarray:
    return np.take(call.array(0), call.array(1), axis=call.integer("axis", 0))


def _slice(call: Call) -> np.ndarray:
    array = call.array(0)
    starts, ends = (call.integers_or_operand(key, i) for i, key in ((1, "starts"), (2, "ends")))
    if starts is None or ends is None:
        raise UnsupportedError("a slice must have starts and ends")
    axes = call.integers_or_operand("axes", 3) or tuple(range(len(starts)))
    steps = call.integers_or_operand("steps", 4) or (1,) * len(starts)
    index = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        end_or_all = None if step < 0 and end < -array.shape[axis] else end
        index[axis] = slice(start, end_or_all, step)
    return array[tuple(index)]


def _transpose(call: Call) -> np.ndarray:
    return call.array(0).transpose(call.integers("perm", None))


def _flatten(call: Call) -> np.ndarray:
    array, axis = call.array(0), call.integer("axis", 1)
    axis = axis + array.ndim if axis < 0 else axis
    return array.reshape(int(np.prod(array.shape[:axis])), -1)


def _shape(call: Call) -> np.ndarray:
    return call.shape_slice(call.array(0).shape)


def _constant_of_shape(call: Call) -> np.ndarray:
    shape = [int(n) for n in call.array(0).ravel()]
    _limit(shape)
    value = call.node.attributes.get("value")
    fill = np.zeros(1, np.float32) if value is None else np.asarray(value)
    return np.full(shape, fill.reshape(-1)[0], fill.dtype)


def _expand(call: Call) -> np.ndarray:
    shape = np.broadcast_shapes(call.array(0).shape, tuple(int(n) for n in call.array(1).ravel()))
    _limit(shape)
    return np.broadcast_to(call.array(0), shape)


def _product(call: Call) -> np.ndarray:
    axes = call.axes(1)
    keep = bool(call.integer("keepdims", 1))
    return call.array(0).prod(None if axes is None else tuple(axes), keepdims=keep)


def _divide(call: Call) -> np.ndarray:
    x, y = call.array(0), call.array(1)
    if np.issubdtype(x.dtype, np.floating):
        return x / y
    if not np.all(y):
        raise UnsupportedError("an integer must not be divided by 0")
    return (np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))).astype(x.dtype)


def _binary(function: Callable[..., np.ndarray]) -> Callable[[Call], np.ndarray]:
    def apply(call: Call) -> np.ndarray:
        x, y = call.array(0), call.array(1)
        _limit(np.broadcast_shapes(x.shape, y.shape))
        return function(x, y)

    return apply


_FUNCTIONS: dict[str, Callable[[Call], np.ndarray]] = {
    "Add": _binary(np.add),
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": _divide,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": lambda call: call.array(0),
    "Mul": _binary(np.multiply),
    "Neg": lambda call: np.negative(call.array(0)),
    "Pow": _binary(np.power),
    "ReduceProd": _product,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Sqrt": lambda call: np.sqrt(call.array(0)),
    "Squeeze": _squeeze,
    "Sub": _binary(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
