# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means and padding, as ONNX has them."""

from __future__ import annotations

import math

import numpy as np

from intaglio.frontend.builder import Activation, Site, UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    same_padding,
)
from intaglio.frontend.layers import borders, pointwise, windows
from intaglio.frontend.onnx.call import Call, Operators, Result
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.windows import Padding, Pair, span


def conv(call: Call) -> Result:
    """Read a convolution, its weight and bias being operands 2 and 3."""
    x, height, width = call.image()
    weight = _kernel(call)
    kernel = (weight.shape[2], weight.shape[3])
    groups = call.integer("group", 1)
    if groups < 1 or weight.shape[1] * groups != x.shape[0] or len(weight) % groups:
        raise UnsupportedError(
            f"its weight must be [K, C/group, R, S] for {x.shape[0]} channels in {groups} groups, "
            f"not {list(weight.shape)}"
        )
    bias = None if call.optional(2) is None else call.vector(2, weight.shape[0])
    stride, dilation = call.pair("strides", (1, 1)), call.pair("dilations", (1, 1))
    padding = _padding(call, (height, width), span(kernel, dilation), stride)
    op = Conv2d(stride, padding, 0, dilation, groups)
    return call.like_operand(windows.conv2d(call.builder, x, weight, bias, op, call.site))


def _conv_transpose(call: Call) -> Result:
    x, height, width = call.image()
    weight = _kernel(call)
    stride, dilation = call.pair("strides", (1, 1)), call.pair("dilations", (1, 1))
    added = call.pair("output_padding", (0, 0))
    reach = span((weight.shape[2], weight.shape[3]), dilation)
    check_window(reach, stride, (0, 0, 0, 0))
    padding = _cropping(call, (height, width), reach, stride, added)
    groups = call.integer("group", 1)
    bias = None if call.optional(2) is None else call.vector(2, weight.shape[1] * groups)
    op = ConvTranspose2d(stride, padding, added, dilation, groups)
    return call.like_operand(windows.conv_transpose2d(call.builder, x, weight, bias, op, call.site))


def _cropping(call: Call, size: Pair, reach: Pair, stride: Pair, added: Pair) -> Padding:
    """Return what a transposed convolution crops: its pads, or what its size asks for."""
    mode = call.word("auto_pad", "NOTSET")
    target = (size[0] * stride[0], size[1] * stride[1])
    if "output_shape" in call.node.attributes:
        target = call.pair("output_shape", target)
    elif not mode.startswith("SAME"):
        return _padding(call, size, reach, stride)
    totals = [
        (n - 1) * s + k + more - wanted
        for n, s, k, more, wanted in zip(size, stride, reach, added, target, strict=True)
    ]
    if min(totals) < 0:
        raise UnsupportedError(f"its size must be at most that of the whole, not {list(target)}")
    half, rest = [n // 2 for n in totals], [n - n // 2 for n in totals]
    first, last = (half, rest) if mode == "SAME_UPPER" else (rest, half)
    return first[0], first[1], last[0], last[1]


def _kernel(call: Call) -> np.ndarray:
    """Return the weight of a convolution with four axes; that of a row gets one."""
    weight = call.weights(1)
    if call.row and weight.ndim == 3:
        weight = weight[:, :, None, :]
    if weight.ndim != 4:
        raise UnsupportedError(f"its weight must be [K, C, R, S], not {list(weight.shape)}")
    kernel = (weight.shape[2], weight.shape[3])
    if call.pair("kernel_shape", kernel) != kernel:
        raise UnsupportedError(f"kernel_shape must be that of its weight, {list(kernel)}")
    return weight


def _max_pool(call: Call) -> Result:
    x, height, width = call.image()
    _no_dilation(call)
    kernel, stride = _window(call)
    padding = _padding(call, (height, width), kernel, stride)
    down, across = _ceiling(call, (height, width), kernel, stride, padding)
    top, left, bottom, right = padding
    whole = (top, left, bottom + down, right + across)
    y = windows.max_pool(call.builder, x, kernel, stride, whole, call.site)
    return call.like_operand(y)


def _average_pool(call: Call) -> Result:
    x, height, width = call.image()
    _no_dilation(call)
    kernel, stride = _window(call)
    padding = _padding(call, (height, width), kernel, stride)
    if any(_ceiling(call, (height, width), kernel, stride, padding)):
        raise UnsupportedError(
            "ceil_mode must be 0 where the windows do not fit evenly", "Pad before"
        )
    count = call.flag("count_include_pad", 0)
    y = windows.average_pool(
        call.builder, x, kernel, stride, padding, call.site, count_padding=count
    )
    return call.like_operand(y)


def _global_average_pool(call: Call) -> Result:
    x = call.activation()
    return windows.mean(call.builder, x, range(1, len(x.shape)), call.site, keep=True)


def _global_max_pool(call: Call) -> Result:
    x = call.activation()
    return windows.maximum(call.builder, x, range(1, len(x.shape)), call.site, keep=True)


def _reduce_mean(call: Call) -> Result:
    x, axes, keep = _reduction(call)
    return windows.mean(call.builder, x, axes, call.site, keep=keep)


def _reduce_max(call: Call) -> Result:
    x, axes, keep = _reduction(call)
    return windows.maximum(call.builder, x, axes, call.site, keep=keep)


def _reduce_sum(call: Call) -> Result:
    x, axes, keep = _reduction(call)
    inner = Site(f"{call.site.name}_mean", "")
    mean = windows.mean(call.builder, x, axes, inner, keep=keep)
    places = math.prod(x.shape[axis] for axis in axes)
    return pointwise.scaled(call.builder, mean, places, 0.0, call.site)


def _reduction(call: Call) -> tuple[Activation, tuple[int, ...], bool]:
    """Return what is reduced, over which axes of the frame, and whether they stay."""
    x = call.activation()
    axes = call.axes(1)
    if not axes:
        raise UnsupportedError("axes must be given, the batch not among them", "GlobalAveragePool")
    return x, frame_axes(axes, len(x.shape) + 1), call.flag("keepdims", 1)


def _pad(call: Call) -> Result:
    x = call.activation()
    rank = len(x.shape) + 1
    pads = call.integers_or_operand("pads", 1)
    given = call.integers_or_operand("axes", 3) if call.opset >= 18 else None
    axes = tuple(range(rank)) if given is None else tuple(axis % rank for axis in given)
    if pads is None or len(pads) != 2 * len(axes):
        raise UnsupportedError(f"pads must be two integers for each axis, not {pads}")
    sides = dict.fromkeys(range(rank), (0, 0))
    sides.update({a: (pads[i], pads[i + len(axes)]) for i, a in enumerate(axes)})
    if any(sides[0]):
        raise UnsupportedError(f"padding must leave the batch axis alone, not be {list(pads)}")
    value = call.scalar(2, 0.0) if call.opset >= 11 else call.number("value", 0.0)
    around = [sides[axis] for axis in range(1, rank)]
    mode = call.word("mode", "constant")
    return borders.pad(call.builder, x, around, mode, value, call.site)


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
        sides = 2 if call.row else 4
        pads = call.integers("pads", (0,) * sides) or ()
        if len(pads) != sides:
            raise UnsupportedError(f"pads must be {sides} integers, not {list(pads)}")
        padding = (0, pads[0], 0, pads[1]) if call.row else (pads[0], pads[1], pads[2], pads[3])
    check_window(kernel, stride, padding)
    if mode.startswith("SAME"):
        return same_padding(size, kernel, stride, upper=mode == "SAME_UPPER")
    return padding


def _ceiling(call: Call, size: Pair, kernel: Pair, stride: Pair, padding: Padding) -> Pair:
    """Return the padding that ceil_mode adds below and right."""
    return ceiling(size, kernel, stride, padding) if call.flag("ceil_mode", 0) else (0, 0)


OPERATORS: Operators = {
    ("", "AveragePool"): _average_pool,
    ("", "Conv"): conv,
    ("", "ConvTranspose"): _conv_transpose,
    ("", "GlobalAveragePool"): _global_average_pool,
    ("", "GlobalMaxPool"): _global_max_pool,
    ("", "MaxPool"): _max_pool,
    ("", "Pad"): _pad,
    ("", "ReduceMax"): _reduce_max,
    ("", "ReduceMean"): _reduce_mean,
    ("", "ReduceSum"): _reduce_sum,
}
