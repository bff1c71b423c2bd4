# SPDX-License-Identifier: Apache-2.0
"""Pooling as a unit (`window_pool.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.unit import Fold, Unit, stream
from intaglio.hw.window_buffer import BLOCKS, Window, WindowReader, WindowWriter
from intaglio.ir.types import TensorType

LATENCY = 4


def window_pool(
    x: TensorType,
    y: TensorType,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    fold: Fold,
    *,
    maximum: bool,
) -> Unit:
    """Return the unit of a maximum or sum pooling over unpadded images.

    Shapes: x (H, W, C), y (P, Q, C). Slots: P * Q * C/lanes * R * S.
    """
    lanes = fold.lanes_in
    element = x.integer
    window = Window(
        x.shape[0],
        x.shape[1],
        x.channels,
        kernel,
        stride,
        lanes,
        element.width,
        parts=x.channels // lanes,
        slack=fold.slack,
    )
    depth = fifo_depth(LATENCY)
    out = stream(y, lanes)
    parameters = {
        "Maximum": int(maximum),
        "Width": element.width,
        "Signed": int(element.signed),
        **window.parameters,
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    reduce = Resources(lut=2 * out.width, ff=out.width)
    return Unit(
        "window_pool",
        (*BLOCKS, "pool_step", "stream_fifo", "window_pool"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (WindowWriter(window), WindowReader(window, 1, LATENCY + 1)),
        window.resources + reduce + fifo_resources(out.width, depth),
        {"rows": window.buffer_rows},
    )
