# SPDX-License-Identifier: Apache-2.0
"""Product of two streams as a unit (`product.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.multiplier import require_port
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 2


def product(a: TensorType, b: TensorType, y: TensorType, lanes: int) -> Unit:
    """Return the unit that multiplies two streams, a beat of each at a time.

    Raises:
        ModelError: an operand is too wide.
    """
    require_port("x", a.integer)
    require_port("y", b.integer)
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
        "product",
        ("multiplier", "stream_fifo", "product"),
        parameters,
        {"a": stream(a, lanes), "b": stream(b, lanes)},
        {"out": out},
        (Beats(out.beats, ("a", "b"), ("out",), LATENCY + 1),),
        Resources(lut=4, ff=2, dsp=lanes) + fifo_resources(out.width, depth),
        multipliers=lanes,
        macs=y.size,
    )
