# SPDX-License-Identifier: Apache-2.0
"""What each ATen operator becomes: one short function an operator, in one table.

To add one: its function here and its line in `OPERATORS`. Whatever a function does not know exactly
it refuses with an UnsupportedError that says why.

Source: the signatures in ATen's native_functions.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Dropped, Site, UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    frame_target,
    same_padding,
    squeezed,
    unsqueezed,
)
from intaglio.ops.windows import Padding, Pair

Operand = Activation | np.ndarray
Result = Activation | Dropped


@dataclass(frozen=True)
class Call:
    """One operator while it is read: its arguments by position or name, tensors resolved.

    `sole` tells for each tensor argument whether nothing else reads it, `readers` which operators
    read the result, `batch` the size of the batch axis the module was exported with.
    """

    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    builder: Builder
    site: Site
    batch: int
    sole: tuple[bool, ...]
    readers: frozenset[str]

    def get(self, index: int, key: str, default: Any = None) -> Any:
        """Return an argument."""
        if index < len(self.arguments):
            return self.arguments[index]
        return self.named.get(key, default)

    def activation(self, index: int = 0) -> Activation:
        """Return an argument that must be computed by the network."""
        found = self.get(index, "")
        if not isinstance(found, Activation):
            raise UnsupportedError(f"argument {index + 1} must come from the network's input")
        return found

    def image(self) -> tuple[Activation, Pair]:
        """Return the first argument with its height and width."""
        x = self.activation()
        if len(x.shape) != 3:
            raise UnsupportedError(f"its input must be an image [N, C, H, W], not {list(x.shape)}")
        return x, (x.shape[1], x.shape[2])

    def optional(self, index: int, key: str) -> np.ndarray | None:
        """Return a constant tensor or number, as an array, or None where it is absent."""
        found = self.get(index, key)
        if found is None:
            return None
        if isinstance(found, Activation):
            raise UnsupportedError(f"argument {key} must be constant")
        array = np.asarray(found, dtype=np.float64)
        if bad := int(np.count_nonzero(~np.isfinite(array))):
            raise UnsupportedError(
                f"argument {key} must be finite, "
                f"not NaN or infinite in {bad} of {array.size} numbers"
            )
        return array

    def array(self, index: int, key: str) -> np.ndarray:
        """Return a constant tensor or number that must be there."""
        found = self.optional(index, key)
        if found is None:
            raise UnsupportedError(f"argument {key} must be given")
        return found

    def pair(self, index: int, key: str, default: Any) -> Pair:
        """Return an argument that is one or two integers."""
        found = self.get(index, key, default)
        values = [found] if isinstance(found, int) else list(found)
        if len(values) not in (1, 2) or not all(isinstance(n, int) for n in values):
            raise UnsupportedError(f"argument {key} must be one or two integers, not {found}")
        return int(values[0]), int(values[-1])

    def integers(self, index: int, key: str) -> tuple[int, ...]:
        """Return an argument that is one integer or a list of them."""
        found = self.get(index, key)
        values = [found] if isinstance(found, int) else list(found or ())
        return tuple(int(n) for n in values)


# --- windows -----------------------------------------------------------------------------------


def _conv2d(call: Call) -> Result:
    x, size = call.image()
    weight = call.array(1, "weight")
    if (groups := call.get(6, "groups", 1)) != 1:
        raise UnsupportedError(f"groups must be 1, not {groups}", "Conv2d with groups=1")
    _no_dilation(call, 5)
    kernel, stride = (weight.shape[2], weight.shape[3]), call.pair(3, "stride", 1)
    padding = call.get(4, "padding", 0)
    if padding == "same":
        sides = same_padding(size, kernel, stride)
    elif padding == "valid":
        sides = (0, 0, 0, 0)
    else:
        sides = _sides(call.pair(4, "padding", 0))
    bias = call.optional(2, "bias")
    return call.builder.conv2d(x, weight, bias, stride, sides, call.site)


def _max_pool2d(call: Call) -> Result:
    x, size = call.image()
    _no_dilation(call, 4)
    kernel, stride, padding = _window(call)
    top, left, bottom, right = padding
    down, across = ceiling(size, kernel, stride, padding) if call.get(5, "ceil_mode") else (0, 0)
    whole = (top, left, bottom + down, right + across)
    return call.builder.max_pool(x, kernel, stride, whole, call.site)


def _avg_pool2d(call: Call) -> Result:
    x, size = call.image()
    kernel, stride, padding = _window(call)
    if call.get(4, "ceil_mode") and any(ceiling(size, kernel, stride, padding)):
        raise UnsupportedError("ceil_mode must be off where the windows do not fit evenly")
    if call.get(6, "divisor_override") is not None:
        raise UnsupportedError("divisor_override must not be given")
    count = bool(call.get(5, "count_include_pad", True))
    return call.builder.average_pool(x, kernel, stride, padding, call.site, count_padding=count)


def _adaptive_avg_pool2d(call: Call) -> Result:
    x, size = call.image()
    target = call.pair(1, "output_size", (1, 1))
    if any(n % m for n, m in zip(size, target, strict=True)):
        raise UnsupportedError(
            f"its output size must divide {list(size)}, not be {list(target)}", "AvgPool2d"
        )
    kernel = (size[0] // target[0], size[1] // target[1])
    none = (0, 0, 0, 0)
    return call.builder.average_pool(x, kernel, kernel, none, call.site, count_padding=True)


def _mean(call: Call) -> Result:
    x = call.activation()
    axes = frame_axes(call.integers(1, "dim"), len(x.shape) + 1)
    return call.builder.mean(x, axes, call.site, keep=bool(call.get(2, "keepdim")))


def _pad(call: Call) -> Result:
    x, _ = call.image()
    pads = call.integers(1, "pad")
    constant = call.get(2, "mode", "constant")
    value = call.get(3, "value") if isinstance(constant, str) else constant
    if isinstance(constant, str) and constant != "constant":
        raise UnsupportedError(f"mode must be constant, not {constant}")
    if len(pads) not in (2, 4) or min(pads) < 0:
        raise UnsupportedError(f"padding must be at least 0 and around images only, not {pads}")
    left, right, top, bottom = (*pads, 0, 0)[:4]
    return call.builder.pad(x, (top, left, bottom, right), float(value or 0), call.site)


def _window(call: Call) -> tuple[Pair, Pair, Padding]:
    kernel = call.pair(1, "kernel_size", None)
    stride = call.pair(2, "stride", kernel) if call.get(2, "stride") else kernel
    padding = _sides(call.pair(3, "padding", 0))
    check_window(kernel, stride, padding)
    return kernel, stride, padding


def _sides(padding: Pair) -> Padding:
    return padding[0], padding[1], padding[0], padding[1]


def _no_dilation(call: Call, index: int) -> None:
    if (dilation := call.pair(index, "dilation", 1)) != (1, 1):
        raise UnsupportedError(f"dilation must be 1, not {list(dilation)}", "a larger kernel")


# --- products and sums -------------------------------------------------------------------------


def _linear(call: Call) -> Result:
    weight, bias = call.array(1, "weight"), call.optional(2, "bias")
    return call.builder.matmul(call.activation(), weight, bias, call.site)


def _addmm(call: Call) -> Result:
    bias, matrix = call.array(0, "input"), call.array(2, "mat2") * call.named.get("alpha", 1)
    total = np.broadcast_to(bias.reshape(-1) * call.named.get("beta", 1), (matrix.shape[-1],))
    return call.builder.matmul(call.activation(1), matrix.T, total, call.site)


def _mm(call: Call) -> Result:
    return call.builder.matmul(call.activation(), call.array(1, "mat2").T, None, call.site)


def _add(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    if all(isinstance(call.get(i, ""), Activation) for i in (0, 1)):
        if alpha != 1:
            raise UnsupportedError(f"alpha must be 1 between activations, not {alpha:g}")
        return call.builder.add(call.activation(0), call.activation(1), call.site)
    if isinstance(call.get(0, ""), Activation):
        return _affine(call, 0, np.ones(1), alpha * call.array(1, "other"))
    return _affine(call, 1, np.full(1, alpha), call.array(0, "input"))


def _subtract(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    if isinstance(call.get(0, ""), Activation):
        return _affine(call, 0, np.ones(1), -alpha * call.array(1, "other"))
    return _affine(call, 1, np.full(1, -alpha), call.array(0, "input"))


def _reverse_subtract(call: Call) -> Result:
    alpha = float(call.get(2, "alpha", 1))
    return _affine(call, 0, np.full(1, -alpha), call.array(1, "other"))


def _multiply(call: Call) -> Result:
    first = 0 if isinstance(call.get(0, ""), Activation) else 1
    return _affine(call, first, call.array(1 - first, "other"), np.zeros(1))


def _divide(call: Call) -> Result:
    divisor = call.array(1, "other")
    if call.get(2, "rounding_mode") is not None or not np.all(divisor):
        raise UnsupportedError("the divisor must not be 0, nor the quotient be rounded")
    return _affine(call, 0, 1 / divisor, np.zeros(1))


def _affine(call: Call, index: int, scale: np.ndarray, offset: np.ndarray) -> Result:
    x = call.activation(index)
    return call.builder.affine(x, scale, offset, call.site, sole=all(call.sole))


def _batch_norm(call: Call) -> Result:
    if call.get(5, "training") is True:
        raise UnsupportedError("it must not be in training mode", "module.eval()")
    return _normalize(call, float(call.get(7, "eps", 1e-5)))


def _batch_norm_for_inference(call: Call) -> Result:
    return _normalize(call, float(call.get(6, "eps", 1e-5)))


def _normalize(call: Call, epsilon: float) -> Result:
    x = call.activation()
    mean, variance = call.array(3, "running_mean"), call.array(4, "running_var")
    gamma, beta = call.optional(1, "weight"), call.optional(2, "bias")
    if np.any(variance + epsilon <= 0):
        raise UnsupportedError("running_var must hold variances of at least 0")
    scale = (1.0 if gamma is None else gamma) / np.sqrt(variance + epsilon)
    offset = (0.0 if beta is None else beta) - mean * scale
    shape = (-1, *[1] * (len(x.shape) - 1))
    scales, offsets = scale.reshape(shape), offset.reshape(shape)
    return call.builder.affine(x, scales, offsets, call.site, sole=call.sole[0])


# --- element by element ------------------------------------------------------------------------


def _relu(call: Call) -> Result:
    return call.builder.relu(call.activation(), call.site)


def _hardtanh(call: Call) -> Result:
    low, high = call.get(1, "min_val", -1), call.get(2, "max_val", 1)
    return call.builder.clip(call.activation(), float(low), float(high), call.site)


def _clamp(call: Call) -> Result:
    ends = []
    for index, key, default in ((1, "min", -math.inf), (2, "max", math.inf)):
        found = call.optional(index, key)
        if found is not None and found.size != 1:
            raise UnsupportedError(f"argument {key} must be one number")
        ends.append(default if found is None else float(found.reshape(-1)[0]))
    return call.builder.clip(call.activation(), ends[0], ends[1], call.site)


def _clamp_min(call: Call) -> Result:
    low = float(call.get(1, "min"))
    return call.builder.clip(call.activation(), low, math.inf, call.site)


def _clamp_max(call: Call) -> Result:
    high = float(call.get(1, "max"))
    return call.builder.clip(call.activation(), -math.inf, high, call.site)


def _identity(call: Call) -> Result:
    return Dropped(call.activation(), "it changes nothing")


def _dropout(call: Call) -> Result:
    if call.get(2, "train"):
        raise UnsupportedError("it must not be in training mode", "module.eval()")
    return Dropped(call.activation(), "it changes nothing outside training")


def _item(call: Call) -> Result:
    if call.get(1, "index") != 0:
        raise UnsupportedError("only an operator's first result is computed")
    return Dropped(call.activation(), "it changes nothing")


def _argmax(call: Call) -> Result:
    x = call.activation()
    axis = call.get(1, "dim")
    if axis is None or frame_axes([axis], len(x.shape) + 1) != (0,):
        raise UnsupportedError(f"dim must be that of the scores, not {axis}")
    return call.builder.argmax(x, call.site)


def _softmax(call: Call) -> Result:
    x = call.activation()
    axis = frame_axes([call.get(1, "dim")], len(x.shape) + 1)
    if len(x.shape) != 1 or axis != (0,) or not call.readers <= {"output", "aten.argmax"}:
        raise UnsupportedError(
            "it is not computed; it can only be left out where it is the last operator",
            "end the module with the scores before it",
        )
    why = "left out: the order of the scores, all that argmax needs, is the same without it"
    return Dropped(x, why, exact=False)


# --- shapes ------------------------------------------------------------------------------------


def _flatten(call: Call) -> Result:
    x = call.activation()
    rank = len(x.shape) + 1
    start, end = call.get(1, "start_dim", 0), call.get(2, "end_dim", -1)
    if start % rank != 1 or end % rank != rank - 1:
        raise UnsupportedError(f"it must flatten whole frames, not axes {start} to {end}")
    return call.builder.reshape(x, (math.prod(x.shape),), call.site)


def _view(call: Call) -> Result:
    x, target = call.activation(), call.integers(1, "size")
    return call.builder.reshape(x, frame_target(x.shape, call.batch, target), call.site)


def _squeeze(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dim")
    frame = frame_axes(axes, len(x.shape) + 1)
    ones = [axis for axis in frame if x.shape[axis] == 1]
    if not axes:
        raise UnsupportedError("dim must be given, the batch not among them")
    return call.builder.reshape(x, squeezed(x.shape, ones), call.site)


def _unsqueeze(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dim")
    frame = frame_axes(axes, len(x.shape) + 2)
    return call.builder.reshape(x, unsqueezed(x.shape, frame), call.site)


def _permute(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dims")
    rank = len(x.shape) + 1
    if axes[:1] != (0,):
        raise UnsupportedError(f"dims must keep the batch axis first, not be {list(axes)}")
    return call.builder.transpose(x, frame_axes(axes[1:], rank))


#: Keyed by operator without overload.
OPERATORS: dict[str, Callable[[Call], Result]] = {
    "aten._native_batch_norm_legit_no_training": _batch_norm_for_inference,
    "aten._to_copy": _identity,
    "aten._unsafe_view": _view,
    "aten.adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "aten.add": _add,
    "aten.addmm": _addmm,
    "aten.alias": _identity,
    "aten.argmax": _argmax,
    "aten.avg_pool2d": _avg_pool2d,
    "aten.batch_norm": _batch_norm,
    "aten.clamp": _clamp,
    "aten.clamp_max": _clamp_max,
    "aten.clamp_min": _clamp_min,
    "aten.clone": _identity,
    "aten.constant_pad_nd": _pad,
    "aten.contiguous": _identity,
    "aten.conv2d": _conv2d,
    "aten.detach": _identity,
    "aten.div": _divide,
    "aten.dropout": _dropout,
    "aten.flatten": _flatten,
    "aten.hardtanh": _hardtanh,
    "aten.linear": _linear,
    "aten.log_softmax": _softmax,
    "aten.matmul": _mm,
    "aten.max_pool2d": _max_pool2d,
    "aten.max_pool2d_with_indices": _max_pool2d,
    "aten.mean": _mean,
    "aten.mm": _mm,
    "aten.mul": _multiply,
    "aten.pad": _pad,
    "aten.permute": _permute,
    "aten.relu": _relu,
    "aten.relu6": lambda call: call.builder.clip(call.activation(), 0.0, 6.0, call.site),
    "aten.reshape": _view,
    "aten.rsub": _reverse_subtract,
    "aten.softmax": _softmax,
    "aten.squeeze": _squeeze,
    "aten.sub": _subtract,
    "aten.unsqueeze": _unsqueeze,
    "aten.view": _view,
    "getitem": _item,
}
