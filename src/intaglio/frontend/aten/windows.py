# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means and padding, as ATen has them."""

from __future__ import annotations

import math

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Site, UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    same_padding,
)
from intaglio.frontend.layers import borders, pointwise, windows
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.windows import Padding, Pair, span


def _conv2d(call: Call) -> Result:
    x, size = call.image()
    weight = call.array(1, "weight")
    dilation = call.pair(5, "dilation", 1)
    kernel, stride = (weight.shape[2], weight.shape[3]), call.pair(3, "stride", 1)
    padding = call.get(4, "padding", 0)
    if padding == "same":
        sides = same_padding(size, span(kernel, dilation), stride)
    elif padding == "valid":
        sides = (0, 0, 0, 0)
    else:
        sides = _sides(call.pair(4, "padding", 0))
    bias = call.optional(2, "bias")
    op = Conv2d(stride, sides, 0, dilation, int(call.get(6, "groups", 1)))
    return windows.conv2d(call.builder, x, weight, bias, op, call.site)


def _conv_transpose2d(call: Call) -> Result:
    x, _ = call.image()
    weight, bias = call.array(1, "weight"), call.optional(2, "bias")
    op = ConvTranspose2d(
        call.pair(3, "stride", 1),
        _sides(call.pair(4, "padding", 0)),
        call.pair(5, "output_padding", 0),
        call.pair(7, "dilation", 1),
        int(call.get(6, "groups", 1)),
    )
    return windows.conv_transpose2d(call.builder, x, weight, bias, op, call.site)


def _max_pool2d(call: Call) -> Result:
    x, size = call.image()
    _no_dilation(call, 4)
    kernel, stride, padding = _window(call)
    top, left, bottom, right = padding
    down, across = ceiling(size, kernel, stride, padding) if call.get(5, "ceil_mode") else (0, 0)
    whole = (top, left, bottom + down, right + across)
    return windows.max_pool(call.builder, x, kernel, stride, whole, call.site)


def _avg_pool2d(call: Call) -> Result:
    x, size = call.image()
    kernel, stride, padding = _window(call)
    if call.get(4, "ceil_mode") and any(ceiling(size, kernel, stride, padding)):
        raise UnsupportedError("ceil_mode must be off where the windows do not fit evenly")
    if call.get(6, "divisor_override") is not None:
        raise UnsupportedError("divisor_override must not be given")
    count = bool(call.get(5, "count_include_pad", True))
    return windows.average_pool(
        call.builder, x, kernel, stride, padding, call.site, count_padding=count
    )


def _adaptive_avg_pool2d(call: Call) -> Result:
    x, size = call.image()
    target = call.pair(1, "output_size", (1, 1))
    if any(n % m for n, m in zip(size, target, strict=True)):
        raise UnsupportedError(
            f"its output size must divide {list(size)}, not be {list(target)}", "AvgPool2d"
        )
    kernel = (size[0] // target[0], size[1] // target[1])
    none = (0, 0, 0, 0)
    return windows.average_pool(
        call.builder, x, kernel, kernel, none, call.site, count_padding=True
    )


def _mean(call: Call) -> Result:
    x = call.activation()
    axes = frame_axes(call.integers(1, "dim"), len(x.shape) + 1)
    return windows.mean(call.builder, x, axes, call.site, keep=bool(call.get(2, "keepdim")))


def _maximum(call: Call) -> Result:
    x = call.activation()
    axes = frame_axes(call.integers(1, "dim"), len(x.shape) + 1)
    return windows.maximum(call.builder, x, axes, call.site, keep=bool(call.get(2, "keepdim")))


def _sum(call: Call) -> Result:
    x = call.activation()
    axes = frame_axes(call.integers(1, "dim"), len(x.shape) + 1)
    inner = Site(f"{call.site.name}_mean", "")
    mean = windows.mean(call.builder, x, axes, inner, keep=bool(call.get(2, "keepdim")))
    places = math.prod(x.shape[axis] for axis in axes)
    return pointwise.scaled(call.builder, mean, places, 0.0, call.site)


def _adaptive_max_pool2d(call: Call) -> Result:
    x, _ = call.image()
    if call.pair(1, "output_size", (1, 1)) != (1, 1):
        raise UnsupportedError("its output size must be 1", "MaxPool2d")
    return windows.maximum(call.builder, x, (1, 2), call.site, keep=True)


def _pad(call: Call) -> Result:
    x, pads = call.activation(), call.integers(1, "pad")
    mode = call.get(2, "mode", "constant")
    value = call.get(3, "value") if isinstance(mode, str) else mode
    if len(pads) % 2 or len(pads) > 2 * len(x.shape):
        raise UnsupportedError(f"pad must be two integers for each axis, not {list(pads)}")
    sides = [(pads[i], pads[i + 1]) for i in range(0, len(pads), 2)]
    around = [*[(0, 0)] * (len(x.shape) - len(sides)), *reversed(sides)]
    named = {"replicate": "edge", "circular": "wrap"}
    kind = named.get(mode, mode) if isinstance(mode, str) else "constant"
    return borders.pad(call.builder, x, around, kind, float(value or 0), call.site)


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


OPERATORS: Operators = {
    "aten.amax": _maximum,
    "aten.adaptive_max_pool2d": _adaptive_max_pool2d,
    "aten.sum": _sum,
    "aten.adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "aten.avg_pool2d": _avg_pool2d,
    "aten.constant_pad_nd": _pad,
    "aten.conv2d": _conv2d,
    "aten.conv_transpose2d": _conv_transpose2d,
    "aten.max_pool2d": _max_pool2d,
    "aten.max_pool2d_with_indices": _max_pool2d,
    "aten.mean": _mean,
    "aten.pad": _pad,
}
