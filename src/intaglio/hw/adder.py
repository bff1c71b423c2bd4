# SPDX-License-Identifier: Apache-2.0
"""Sum of two streams as a unit (`adder.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1


def adder(a: TensorType, b: TensorType, y: TensorType, lanes: int) -> Unit:
    """Return the unit that adds two streams, a beat of each at a time."""
    out = stream(y, lanes)
    depth = fifo_depth(LATENCY)
    parameters = {
        "WidthA": a.integer.width,
        "SignedA": int(a.integer.signed),
        "WidthB": b.integer.width,
        "SignedB": int(b.integer.signed),
        "Lanes": lanes,
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    return Unit(
        "adder",
        ("stream_fifo", "adder"),
        parameters,
        {"a": stream(a, lanes), "b": stream(b, lanes)},
        {"out": out},
        (Beats(out.beats, ("a", "b"), ("out",), LATENCY + 1),),
        Resources(lut=out.width + 4, ff=out.width) + fifo_resources(out.width, depth),
    )
