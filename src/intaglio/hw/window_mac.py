# SPDX-License-Identifier: Apache-2.0
"""Convolution and dense layers as a unit (`window_mac.sv`)."""

from __future__ import annotations

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.multiplier import require_port
from intaglio.hw.products import PRODUCT_BLOCKS, products_resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.unit import Fold, Image, Stream, Unit, divisors
from intaglio.hw.window_buffer import BLOCKS, Window, WindowReader, WindowWriter
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType

#: Words a row must have for whole windows to be stored: a place is written while the next is read.
SHORTEST_STACK = 2


def window_mac(
    x: TensorType,
    weight: Constant,
    bias: Constant,
    y: TensorType,
    stride: tuple[int, int],
    fold: Fold,
) -> Unit:
    """Return the unit of a convolution over unpadded images; a dense layer is a 1x1 image.

    Shapes: x (H, W, C), weight [K, R, S, C], bias [K], y (P, Q, K).
    Slots: P * Q * K/lanes_out * R * S/columns * C/lanes_in, R counting once for whole windows.

    Raises:
        ModelError: x or the weights are too wide.
    """
    require_port("x", x.integer)
    require_port("weight", weight.type.integer)
    window = _window(x, weight, stride, fold)
    lanes = fold.lanes_in * fold.columns * (window.kernel[0] if fold.whole else 1)
    out_lanes = output_lanes(fold.lanes_out, window.window_slots)
    beats = fold.lanes_out // out_lanes
    latency = 7 + (lanes - 1).bit_length()
    images = (
        Image.of("WeightFile", weight_fields(weight.data, fold), weight.type.integer.width),
        Image.of("BiasFile", bias.data.reshape(-1, fold.lanes_out), bias.type.integer.width),
    )
    out = Stream(out_lanes, y.integer, y.size // out_lanes)
    parameters = {
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        **window.parameters,
        **_stacking(window, fold),
        "LanesOut": fold.lanes_out,
        "Products": fold.products.parameter,
        **_operands(weight.type.integer, bias.type.integer, images),
        "SumWidth": _sum_width(y.integer),
        "OutWidth": y.integer.width,
        "OutLanes": out_lanes,
        "OutDepth": fifo_depth(latency, beats),
    }
    resources = (
        window.resources
        + sum((image.memory.resources for image in images), Resources())
        + products_resources(
            fold.products,
            x.integer,
            weight.type.integer,
            images[0].fields.reshape(-1, fold.lanes_out, lanes),
        )
        + _sum_resources(lanes, fold.lanes_out, x.integer, weight.type.integer, y.integer)
        + fifo_resources(out.width, parameters["OutDepth"])
        + Resources(lut=1, ff=1) * (fold.lanes_out * y.integer.width)
    )
    return Unit(
        "window_mac",
        (*BLOCKS, "cyclic_rom", *PRODUCT_BLOCKS, "mac_lanes", "stream_fifo", "window_mac"),
        parameters,
        {"in": Stream(fold.lanes_in, x.integer, x.size // fold.lanes_in)},
        {"out": out},
        (WindowWriter(window), WindowReader(window, beats, latency + 1)),
        resources,
        {"rows": window.buffer_rows},
        images,
        multipliers=lanes * fold.lanes_out,
        macs=weight.data.size * window.out_rows * window.out_columns,
    )


def _window(x: TensorType, weight: Constant, stride: tuple[int, int], fold: Fold) -> Window:
    outputs, rows, columns, channels = weight.data.shape
    return Window(
        x.shape[0],
        x.shape[1],
        channels,
        (rows, columns),
        stride,
        fold.lanes_in,
        x.integer.width,
        stacked=fold.columns > 1,
        outer=outputs // fold.lanes_out,
        slack=fold.slack,
        whole=fold.whole,
    )


def _stacking(window: Window, fold: Fold) -> dict[str, int]:
    """Parameters of how much of a window one word holds, and of the passes over it."""
    above = window.stack_memory
    return {
        "StackColumns": fold.columns,
        "StackStride": window.stride[1],
        "StackCount": window.out_columns,
        "StackRows": window.kernel[0] if fold.whole else 1,
        "BlockStack": int(above is not None and above.block),
        "Outer": window.outer,
        "Inner": window.inner,
    }


def _operands(weight: IntType, bias: IntType, images: tuple[Image, Image]) -> dict[str, int]:
    """Parameters of what is multiplied and where sums start."""
    weights, biases = images
    return {
        "WeightWidth": weight.width,
        "WeightSigned": int(weight.signed),
        "WeightWords": len(weights.fields),
        "BlockWeights": int(weights.memory.block),
        "BiasWidth": bias.width,
        "BiasSigned": int(bias.signed),
        "BlockBias": int(biases.memory.block),
    }


def _sum_width(element: IntType) -> int:
    """Bits of a partial sum, which is signed even where the whole sum is not."""
    return element.width + (not element.signed)


def output_lanes(lanes_out: int, window_slots: int) -> int:
    """Return the fewest lanes on which a window's results leave before the next window's come."""
    return next(n for n in divisors(lanes_out) if lanes_out // n <= window_slots)


def weight_fields(weight: np.ndarray, fold: Fold) -> np.ndarray:
    """Order weights as the slots read them.

    Shapes: weight [K, R, S, C]; result [slots of one window over all outputs, fields a word], a
    word holding, slowest first, output lanes, kernel rows, kernel columns, channels.
    """
    k, r, s, c = weight.shape
    rows = r if fold.whole else 1
    blocks = weight.reshape(
        k // fold.lanes_out,
        fold.lanes_out,
        r // rows,
        rows,
        s // fold.columns,
        fold.columns,
        c // fold.lanes_in,
        fold.lanes_in,
    )
    return blocks.transpose(0, 2, 4, 6, 1, 3, 5, 7).reshape(
        -1, fold.lanes_out * rows * fold.columns * fold.lanes_in
    )


def _sum_resources(lanes: int, out: int, x: IntType, weight: IntType, y: IntType) -> Resources:
    """Estimate adder trees and accumulators."""
    product = x.width + weight.width + (not x.signed and not weight.signed)
    lut = ff = 0
    nodes, level = lanes, 0
    while nodes > 1:
        level += 1
        pairs = nodes // 2
        lut += pairs * (product + level + 1)
        nodes = -(-nodes // 2)
        ff += nodes * (product + level)
    lut += 2 * _sum_width(y) + 2
    ff += _sum_width(y)
    return Resources(lut=out * lut, ff=out * ff)
