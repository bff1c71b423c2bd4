# SPDX-License-Identifier: Apache-2.0
"""Convolution and dense layers as a unit (`window_mac.sv`)."""

from __future__ import annotations

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.multiplier import require_port
from intaglio.hw.products import MAC_LANES, products_resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.unit import Fold, Image, Stream, Unit, divisors
from intaglio.hw.window_buffer import BLOCKS, Window, WindowReader, WindowWriter
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType

#: Types and contents of x, weight, bias and y.
Operands = tuple[TensorType, Constant, Constant, TensorType]

#: Words a row must have for whole windows to be stored: a place is written while the next is read.
SHORTEST_STACK = 2


def window_mac(
    x: TensorType,
    weight: Constant,
    bias: Constant,
    y: TensorType,
    stride: tuple[int, int],
    fold: Fold,
    dilation: tuple[int, int] = (1, 1),
) -> Unit:
    """Return the unit of a convolution over unpadded images; a dense layer is a 1x1 image.

    Shapes: x (H, W, C), weight [K, R, S, C/groups], bias [K], y (P, Q, K); lanes_in divides
    C/groups, lanes_out K/groups.
    Slots: P * Q * K/lanes_out * R * S/columns * C/groups/lanes_in, R counting once for whole
    windows.

    Raises:
        ModelError: x or the weights are too wide.
    """
    window = _window(x, weight, stride, dilation, fold)
    lanes = fold.lanes_in * fold.columns * (window.kernel[0] if fold.whole else 1)
    return product_unit(window, lanes, (x, weight, bias, y), fold)


def product_unit(
    window: Window, lanes: int, operands: Operands, fold: Fold, *, per_channel: bool = False
) -> Unit:
    """Return a unit that multiplies `lanes` operands for each of `lanes_out` outputs in a slot.

    Args:
        window: what the slots read.
        lanes: products in a sum at once.
        operands: x, weight, bias and y.
        fold: how weights and results are grouped.
        per_channel: each output sees a channel of its own.

    Raises:
        ModelError: x or the weights are too wide.
    """
    x, weight, bias, y = operands
    require_port("x", x.integer)
    require_port("weight", weight.type.integer)
    out_lanes = output_lanes(fold.lanes_out, window.window_slots)
    beats = fold.lanes_out // out_lanes
    latency = 7 + (lanes - 1).bit_length()
    images = (
        Image.of("WeightFile", weight_fields(weight.data, fold), weight.type.integer.width),
        Image.of("BiasFile", bias.data.reshape(-1, fold.lanes_out), bias.type.integer.width),
    )
    out = Stream(out_lanes, y.integer, y.size // out_lanes)
    depth = fifo_depth(latency, beats)
    own = fold.lanes_out if per_channel else 1
    return Unit(
        "window_mac",
        (*BLOCKS, *MAC_LANES, "channel_choice", "stream_fifo", "window_results", "window_mac"),
        {
            "Width": x.integer.width,
            "Signed": int(x.integer.signed),
            **window.parameters,
            **window.product_parameters,
            "PerChannel": int(per_channel),
            "LanesOut": fold.lanes_out,
            "Products": fold.products.parameter,
            **_operands(weight.type.integer, bias.type.integer, images),
            "SumWidth": _sum_width(y.integer),
            "OutWidth": y.integer.width,
            "OutLanes": out_lanes,
            "OutDepth": depth,
        },
        {"in": Stream(window.lanes, x.integer, x.size // window.lanes)},
        {"out": out},
        (WindowWriter(window), WindowReader(window, beats, latency + 1)),
        window.resources
        + _lanes_resources(operands, fold, images, own * lanes)
        + fifo_resources(out.width, depth),
        {"rows": window.buffer_rows},
        images,
        multipliers=lanes * fold.lanes_out,
        macs=weight.data.size * window.out_rows * window.out_columns,
    )


def _window(
    x: TensorType,
    weight: Constant,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    fold: Fold,
) -> Window:
    outputs, rows, columns, channels = weight.data.shape
    groups = x.channels // channels
    return Window(
        x.shape[0],
        x.shape[1],
        x.channels,
        (rows, columns),
        stride,
        fold.lanes_in,
        x.integer.width,
        stacked=fold.columns > 1,
        parts=groups,
        passes=outputs // groups // fold.lanes_out,
        slack=fold.slack,
        whole=fold.whole,
        dilation=dilation,
    )


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
    channels = min(fold.lanes_in, c)  # a depthwise filter sees one channel of all that come in
    blocks = weight.reshape(
        k // fold.lanes_out,
        fold.lanes_out,
        r // rows,
        rows,
        s // fold.columns,
        fold.columns,
        c // channels,
        channels,
    )
    return blocks.transpose(0, 2, 4, 6, 1, 3, 5, 7).reshape(
        -1, fold.lanes_out * rows * fold.columns * channels
    )


def _lanes_resources(
    operands: Operands, fold: Fold, images: tuple[Image, Image], x_lanes: int
) -> Resources:
    """Estimate weights, biases, products, sums and where results wait to leave.

    `x_lanes` operands x meet the weights of a slot, each those of all outputs or of one.
    """
    x, weight, _, y = operands
    weights, biases = images
    lanes = weights.fields.shape[1] // fold.lanes_out
    shared = weights.fields.shape[1] // x_lanes
    return (
        weights.memory.resources
        + biases.memory.resources
        + products_resources(
            fold.products,
            x.integer,
            weight.type.integer,
            weights.fields.reshape(-1, shared, x_lanes),
        )
        + _sum_resources(lanes, fold.lanes_out, x.integer, weight.type.integer, y.integer)
        + Resources(lut=1, ff=1) * (fold.lanes_out * y.integer.width)
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
