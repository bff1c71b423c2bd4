# SPDX-License-Identifier: Apache-2.0
"""What each ONNX operator becomes: one short function an operator, in one table.

To add one: its function here and its line in `OPERATORS`. Whatever a function does not know exactly
it refuses with an UnsupportedError that says why; it never guesses.

Source: the operator specifications of ONNX, opset 7 to 25.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from intaglio.frontend.builder import Activation, Dropped, UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    frame_target,
    same_padding,
    squeezed,
    unsqueezed,
)
from intaglio.frontend.onnx.call import Call, Result
from intaglio.ops.windows import Padding, Pair

_FLOATS = (1, 11)

# --- windows -----------------------------------------------------------------------------------


def _conv(call: Call) -> Result:
    x, height, width = call.image()
    weight = call.weights(1)
    if weight.ndim != 4:
        raise UnsupportedError(f"its weight must be [K, C, R, S], not {list(weight.shape)}")
    if (group := call.integer("group", 1)) != 1:
        raise UnsupportedError(f"group must be 1, not {group}", "Conv with group=1")
    _no_dilation(call)
    kernel = (weight.shape[2], weight.shape[3])
    if call.pair("kernel_shape", kernel) != kernel:
        raise UnsupportedError(f"kernel_shape must be that of its weight, {list(kernel)}")
    if weight.shape[1] != x.shape[0]:
        raise UnsupportedError(f"its weight must have {x.shape[0]} channels, not {weight.shape[1]}")
    bias = None if call.optional(2) is None else _vector(call, 2, weight.shape[0])
    stride = call.pair("strides", (1, 1))
    padding = _padding(call, (height, width), kernel, stride)
    return call.builder.conv2d(x, weight, bias, stride, padding, call.site)


def _max_pool(call: Call) -> Result:
    x, height, width = call.image()
    _no_dilation(call)
    kernel, stride = _window(call)
    padding = _padding(call, (height, width), kernel, stride)
    down, across = _ceiling(call, (height, width), kernel, stride, padding)
    top, left, bottom, right = padding
    whole = (top, left, bottom + down, right + across)
    return call.builder.max_pool(x, kernel, stride, whole, call.site)


def _average_pool(call: Call) -> Result:
    x, height, width = call.image()
    _no_dilation(call)
    kernel, stride = _window(call)
    padding = _padding(call, (height, width), kernel, stride)
    if any(_ceiling(call, (height, width), kernel, stride, padding)):
        raise UnsupportedError(
            "ceil_mode must be 0 where the windows do not fit evenly", "Pad before"
        )
    count = bool(call.integer("count_include_pad", 0))
    return call.builder.average_pool(x, kernel, stride, padding, call.site, count_padding=count)


def _global_average_pool(call: Call) -> Result:
    x, _, _ = call.image()
    return call.builder.mean(x, (1, 2), call.site, keep=True)


def _reduce_mean(call: Call) -> Result:
    x = call.activation()
    axes = call.axes(1)
    if not axes:
        raise UnsupportedError("axes must be given, the batch not among them", "GlobalAveragePool")
    frame = frame_axes(axes, len(x.shape) + 1)
    return call.builder.mean(x, frame, call.site, keep=bool(call.integer("keepdims", 1)))


def _pad(call: Call) -> Result:
    x, _, _ = call.image()
    if (mode := call.word("mode", "constant")) != "constant":
        raise UnsupportedError(f"mode must be constant, not {mode}", "constant padding")
    pads = call.integers_or_operand("pads", 1)
    given = call.integers_or_operand("axes", 3) if call.opset >= 18 else None
    axes = tuple(range(4)) if given is None else tuple(a % 4 for a in given)
    if pads is None or len(pads) != 2 * len(axes):
        raise UnsupportedError(f"pads must be two integers for each axis, not {pads}")
    sides = {side: 0 for axis in range(4) for side in ((axis, 0), (axis, 1))}
    for i, axis in enumerate(axes):
        sides[axis, 0], sides[axis, 1] = pads[i], pads[i + len(axes)]
    if any(sides[axis, end] for axis in (0, 1) for end in (0, 1)) or min(pads, default=0) < 0:
        raise UnsupportedError(
            f"padding must be at least 0 and around images only, not {list(pads)}"
        )
    value = call.optional(2) if call.opset >= 11 else np.array(call.number("value", 0.0))
    padding = (sides[2, 0], sides[3, 0], sides[2, 1], sides[3, 1])
    return call.builder.pad(x, padding, 0.0 if value is None else _scalar(value), call.site)


def _window(call: Call) -> tuple[Pair, Pair]:
    if "kernel_shape" not in call.node.attributes:
        raise UnsupportedError("kernel_shape must be given")
    return call.pair("kernel_shape", (1, 1)), call.pair("strides", (1, 1))


def _no_dilation(call: Call) -> None:
    if (dilations := call.pair("dilations", (1, 1))) != (1, 1):
        raise UnsupportedError(f"dilations must be 1, not {list(dilations)}", "a larger kernel")


def _padding(call: Call, size: Pair, kernel: Pair, stride: Pair) -> Padding:
    """Return (top, left, bottom, right) from pads or auto_pad."""
    mode = call.word("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedError(f"auto_pad must be one of the standard's, not {mode!r}")
    padding = 0, 0, 0, 0
    if mode == "NOTSET":
        pads = call.integers("pads", (0, 0, 0, 0)) or ()
        if len(pads) != 4:
            raise UnsupportedError(f"pads must be four integers, not {list(pads)}")
        padding = pads[0], pads[1], pads[2], pads[3]
    check_window(kernel, stride, padding)
    if mode.startswith("SAME"):
        return same_padding(size, kernel, stride, upper=mode == "SAME_UPPER")
    return padding


def _ceiling(call: Call, size: Pair, kernel: Pair, stride: Pair, padding: Padding) -> Pair:
    """Return the padding that ceil_mode adds below and right."""
    return ceiling(size, kernel, stride, padding) if call.integer("ceil_mode", 0) else (0, 0)


# --- products and sums -------------------------------------------------------------------------


def _gemm(call: Call) -> Result:
    x, weight = call.activation(), call.weights(1)
    if call.integer("transA", 0):
        raise UnsupportedError("transA must be 0")
    if weight.ndim != 2:
        raise UnsupportedError(f"its matrix must have two axes, not {list(weight.shape)}")
    matrix = weight if call.integer("transB", 0) else weight.T
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    bias = None if call.optional(2) is None else beta * _vector(call, 2, len(matrix))
    return call.builder.matmul(x, matrix * alpha if alpha != 1 else matrix, bias, call.site)


def _matmul(call: Call) -> Result:
    if not isinstance(call.operands[0], Activation):
        raise UnsupportedError("the constant matrix must be the second operand", "Gemm")
    return call.builder.matmul(call.activation(), call.weights(1).T, None, call.site)


def _vector(call: Call, index: int, size: int) -> np.ndarray:
    """Return a bias as [size], from any shape that broadcasts to it."""
    array = call.weights(index)
    if array.size not in (1, size) or array.shape[-1:] not in ((), (1,), (size,)):
        raise UnsupportedError(f"its bias must be one number a channel, not {list(array.shape)}")
    return np.broadcast_to(array.reshape(-1).astype(np.float64), (size,))


def _add(call: Call) -> Result:
    if len(call.operands) != 2:
        raise UnsupportedError(f"it must have two operands, not {len(call.operands)}", "Add")
    if all(isinstance(operand, Activation) for operand in call.operands):
        return call.builder.add(call.activation(0), call.activation(1), call.site)
    return _affine(call, lambda constant: (np.ones(1), constant))


def _subtract(call: Call) -> Result:
    if isinstance(call.operands[0], Activation):
        return _affine(call, lambda constant: (np.ones(1), -constant))
    return _affine(call, lambda constant: (-np.ones(1), constant))


def _multiply(call: Call) -> Result:
    return _affine(call, lambda constant: (constant, np.zeros(1)))


def _divide(call: Call) -> Result:
    if not isinstance(call.operands[0], Activation):
        raise UnsupportedError("a constant must not be divided by an activation")
    if not np.all(call.weights(1)):
        raise UnsupportedError("the divisor must not be 0")
    return _affine(call, lambda constant: (1 / constant, np.zeros(1)))


def _affine(call: Call, parts: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Result:
    """Turn an operation with a constant into a scale and an offset for each channel."""
    if all(isinstance(operand, Activation) for operand in call.operands):
        raise UnsupportedError(f"{call.node.op} of two activations is not computed", "Add")
    first = 0 if isinstance(call.operands[0], Activation) else 1
    constant = call.weights(1 - first).astype(np.float64)
    scale, offset = parts(constant)
    x, sole = call.activation(first), call.sole[first]
    return call.builder.affine(x, scale, offset, call.site, sole=sole)


def _batch_norm(call: Call) -> Result:
    if call.integer("training_mode", 0) or call.integer("spatial", 1) != 1:
        raise UnsupportedError("it must be the per-channel form for inference", "model.eval()")
    x = call.activation()
    gamma, beta, mean, variance = (call.weights(i).astype(np.float64) for i in (1, 2, 3, 4))
    sizes = {array.shape for array in (gamma, beta, mean, variance)}
    if not x.shape or sizes != {(x.shape[0],)}:
        raise UnsupportedError(f"its parameters must be four vectors of {list(x.shape[:1])}")
    total = variance + call.number("epsilon", 1e-5)
    if np.any(total <= 0):
        raise UnsupportedError(f"tensor {call.node.inputs[4]!r} must hold variances of at least 0")
    scale = gamma / np.sqrt(total)
    shape = (-1, *[1] * (len(x.shape) - 1))
    scales, offsets = scale.reshape(shape), (beta - mean * scale).reshape(shape)
    return call.builder.affine(x, scales, offsets, call.site, sole=call.sole[0])


# --- element by element ------------------------------------------------------------------------


def _relu(call: Call) -> Result:
    return call.builder.relu(call.activation(), call.site)


def _clip(call: Call) -> Result:
    if call.opset < 11:
        low, high = call.number("min", -math.inf), call.number("max", math.inf)
    else:
        ends = call.optional(1), call.optional(2)
        low = -math.inf if ends[0] is None else _scalar(ends[0])
        high = math.inf if ends[1] is None else _scalar(ends[1])
    return call.builder.clip(call.activation(), low, high, call.site)


def _scalar(array: np.ndarray) -> float:
    if array.size != 1:
        raise UnsupportedError(f"a bound must be one number, not an array {list(array.shape)}")
    return float(array.reshape(-1)[0])


def _identity(call: Call) -> Result:
    return Dropped(call.activation(), "it changes nothing")


def _dropout(call: Call) -> Result:
    training = call.optional(2)
    if training is not None and training.any():
        raise UnsupportedError("training_mode must be off", "model.eval()")
    return Dropped(call.activation(), "it changes nothing outside training")


def _cast(call: Call) -> Result:
    x, target = call.activation(), call.integer("to", 0)
    if not call.builder.is_integer(x) and target not in _FLOATS:
        raise UnsupportedError(f"floats must stay floats of 32 bits or more, not type {target}")
    return Dropped(x, "the graph has one float type and exact integers")


def _argmax(call: Call) -> Result:
    x = call.activation()
    if call.integer("select_last_index", 0):
        raise UnsupportedError("select_last_index must be 0")
    if frame_axes([call.integer("axis", 0)], len(x.shape) + 1) != (0,):
        raise UnsupportedError("its axis must be that of the scores")
    return call.builder.argmax(x, call.site)


def _softmax(call: Call) -> Result:
    x = call.activation()
    default = -1 if call.opset >= 13 else 1
    axis = frame_axes([call.integer("axis", default)], len(x.shape) + 1)
    if len(x.shape) != 1 or axis != (0,) or not call.readers <= {"", "ArgMax"}:
        raise UnsupportedError(
            "it is not computed; it can only be left out where it is the last operator",
            "end the model with the scores before it",
        )
    why = "left out: the order of the scores, all that argmax needs, is the same without it"
    return Dropped(x, why, exact=False)


# --- shapes ------------------------------------------------------------------------------------


def _flatten(call: Call) -> Result:
    x = call.activation()
    axis = call.integer("axis", 1)
    if axis not in (1, -len(x.shape)):
        raise UnsupportedError(f"axis must be 1, not {axis}", "Flatten with axis=1")
    return call.builder.reshape(x, (math.prod(x.shape),), call.site)


def _reshape(call: Call) -> Result:
    x, target = call.activation(), call.integers_or_operand("shape", 1) or ()
    if not call.integer("allowzero", 0):
        dims = (call.batch, *x.shape)
        target = tuple(dims[i] if n == 0 and i < len(dims) else n for i, n in enumerate(target))
    return call.builder.reshape(x, frame_target(x.shape, call.batch, target), call.site)


def _squeeze(call: Call) -> Result:
    x, axes = call.activation(), call.axes(1)
    if axes is None:
        raise UnsupportedError("axes must be given, the batch not among them")
    frame = frame_axes(axes, len(x.shape) + 1)
    return call.builder.reshape(x, squeezed(x.shape, frame), call.site)


def _unsqueeze(call: Call) -> Result:
    x, axes = call.activation(), call.axes(1) or ()
    frame = frame_axes(axes, len(x.shape) + len(axes) + 1)
    return call.builder.reshape(x, unsqueezed(x.shape, frame), call.site)


def _transpose(call: Call) -> Result:
    x = call.activation()
    permutation = call.integers("perm", tuple(range(len(x.shape), -1, -1))) or ()
    if sorted(permutation) != list(range(len(x.shape) + 1)) or permutation[0] != 0:
        raise UnsupportedError(f"perm must keep the batch axis first, not be {list(permutation)}")
    return call.builder.transpose(x, tuple(axis - 1 for axis in permutation[1:]))


def _shape(call: Call) -> Result:
    return call.shape_slice((call.batch, *call.activation().shape))


#: Keyed by domain ("" is the standard one) and operator type.
OPERATORS: dict[tuple[str, str], Callable[[Call], Result]] = {
    ("", "Add"): _add,
    ("", "ArgMax"): _argmax,
    ("", "AveragePool"): _average_pool,
    ("", "BatchNormalization"): _batch_norm,
    ("", "Cast"): _cast,
    ("", "Clip"): _clip,
    ("", "Conv"): _conv,
    ("", "Div"): _divide,
    ("", "Dropout"): _dropout,
    ("", "Flatten"): _flatten,
    ("", "Gemm"): _gemm,
    ("", "GlobalAveragePool"): _global_average_pool,
    ("", "Identity"): _identity,
    ("", "LogSoftmax"): _softmax,
    ("", "MatMul"): _matmul,
    ("", "MaxPool"): _max_pool,
    ("", "Mul"): _multiply,
    ("", "Pad"): _pad,
    ("", "ReduceMean"): _reduce_mean,
    ("", "Relu"): _relu,
    ("", "Reshape"): _reshape,
    ("", "Shape"): _shape,
    ("", "Softmax"): _softmax,
    ("", "Squeeze"): _squeeze,
    ("", "Sub"): _subtract,
    ("", "Sum"): _add,
    ("", "Transpose"): _transpose,
    ("", "Unsqueeze"): _unsqueeze,
}
