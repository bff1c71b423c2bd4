# SPDX-License-Identifier: Apache-2.0
"""Rectifier and clip as a unit (`clamp.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1


def clamp(x: TensorType, y: TensorType, low: int, high: int, lanes: int) -> Unit:
    """Return the unit that keeps every element between two codes."""
    low, high = (min(max(bound, low), high) for bound in (x.integer.min, x.integer.max))
    out = stream(y, lanes)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        "Lanes": lanes,
        "Low": low,
        "High": high,
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    lane = Resources(lut=x.integer.width + 2 * y.integer.width, ff=y.integer.width)
    return Unit(
        "clamp",
        ("stream_fifo", "clamp"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (Beats(out.beats, ("in",), ("out",), LATENCY + 1),),
        lane * lanes + fifo_resources(out.width, depth),
    )
