# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolution as a unit: `window_mac.sv`, whose outputs see a channel each."""

from __future__ import annotations

from dataclasses import replace

from intaglio.hw.cost import Resources
from intaglio.hw.unit import Fold, Unit
from intaglio.hw.window_buffer import Window
from intaglio.hw.window_mac import product_unit
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType


def window_depthwise(
    x: TensorType,
    weight: Constant,
    bias: Constant,
    y: TensorType,
    stride: tuple[int, int],
    fold: Fold,
    dilation: tuple[int, int] = (1, 1),
) -> Unit:
    """Return the unit of a convolution over unpadded images whose outputs see a channel each.

    Shapes: x (H, W, C), weight [K, R, S, 1], bias [K], y (P, Q, K), K a multiple of C; lanes_in
    divides C, lanes_out is lanes_in times a divisor of K/C.
    Slots: P * Q * K/lanes_out * R * S/columns, R counting once for whole windows.

    Raises:
        ModelError: x or the weights are too wide.
    """
    outputs, rows, columns, _ = weight.data.shape
    window = Window(
        x.shape[0],
        x.shape[1],
        x.channels,
        (rows, columns),
        stride,
        fold.lanes_in,
        x.integer.width,
        stacked=fold.columns > 1,
        parts=x.channels // fold.lanes_in,
        passes=outputs // x.channels * fold.lanes_in // fold.lanes_out,
        slack=fold.slack,
        whole=fold.whole,
        dilation=dilation,
    )
    places = fold.columns * (rows if fold.whole else 1)
    unit = product_unit(window, places, (x, weight, bias, y), fold, per_channel=True)
    # A multiplexer of four bits is two LUT4 and the multiplexer that joins such a pair.
    luts = min(window.passes, fold.lanes_in) // 2
    chosen = Resources(lut=luts * places * fold.lanes_out * x.integer.width)
    return replace(unit, resources=unit.resources + chosen)
