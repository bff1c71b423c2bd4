# SPDX-License-Identifier: Apache-2.0
"""Index of the largest element as a unit (`maximum_index.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1


def maximum_index(x: TensorType, y: TensorType) -> Unit:
    """Return the unit that finds the first largest element of a vector, one element a cycle."""
    out = stream(y, 1)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        "Count": x.size,
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    state = x.integer.width + 2 * y.integer.width
    return Unit(
        "maximum_index",
        ("loop_counter", "stream_fifo", "maximum_index"),
        parameters,
        {"in": stream(x, 1)},
        {"out": out},
        (Beats(x.size, ("in",), ("out",), LATENCY + 1, give_every=x.size),),
        Resources(lut=state + 10, ff=state + 3) + fifo_resources(out.width, depth),
    )
