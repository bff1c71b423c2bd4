# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means and padding, as ONNX has them."""

from __future__ import annotations

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.geometry import (
    ceiling,
    check_window,
    frame_axes,
    same_padding,
)
from intaglio.frontend.layers import windows
from intaglio.frontend.onnx.call import Call, Operators, Result
from intaglio.ops.windows import Padding, Pair


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
    bias = None if call.optional(2) is None else call.vector(2, weight.shape[0])
    stride = call.pair("strides", (1, 1))
    padding = _padding(call, (height, width), kernel, stride)
    return windows.conv2d(call.builder, x, weight, bias, stride, padding, call.site)


def _max_pool(call: Call) -> Result:
    x, height, width = call.image()
    _no_dilation(call)
    kernel, stride = _window(call)
    padding = _padding(call, (height, width), kernel, stride)
    down, across = _ceiling(call, (height, width), kernel, stride, padding)
    top, left, bottom, right = padding
    whole = (top, left, bottom + down, right + across)
    return windows.max_pool(call.builder, x, kernel, stride, whole, call.site)


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
    return windows.average_pool(
        call.builder, x, kernel, stride, padding, call.site, count_padding=count
    )


def _global_average_pool(call: Call) -> Result:
    x, _, _ = call.image()
    return windows.mean(call.builder, x, (1, 2), call.site, keep=True)


def _reduce_mean(call: Call) -> Result:
    x = call.activation()
    axes = call.axes(1)
    if not axes:
        raise UnsupportedError("axes must be given, the batch not among them", "GlobalAveragePool")
    frame = frame_axes(axes, len(x.shape) + 1)
    return windows.mean(call.builder, x, frame, call.site, keep=bool(call.integer("keepdims", 1)))


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
    value = call.scalar(2, 0.0) if call.opset >= 11 else call.number("value", 0.0)
    padding = (sides[2, 0], sides[3, 0], sides[2, 1], sides[3, 1])
    return windows.pad(call.builder, x, padding, value, call.site)


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


OPERATORS: Operators = {
    ("", "AveragePool"): _average_pool,
    ("", "Conv"): _conv,
    ("", "GlobalAveragePool"): _global_average_pool,
    ("", "MaxPool"): _max_pool,
    ("", "Pad"): _pad,
    ("", "ReduceMean"): _reduce_mean,
}
