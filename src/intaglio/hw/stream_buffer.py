# SPDX-License-Identifier: Apache-2.0
"""Room in a stream for branches that meet again after different times (`stream_buffer.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.memory import ram
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Stream, Unit

LATENCY = 3


def stream_buffer(source: Stream, depth: int) -> Unit:
    """Return the unit that holds so many beats between its input and its own FIFO."""
    memory, out_depth = ram(source.width, depth), fifo_depth(LATENCY)
    counter = depth.bit_length()
    return Unit(
        "stream_buffer",
        ("loop_counter", "sliced_ram", "stream_fifo", "stream_buffer"),
        {
            "Width": source.width,
            "Depth": depth,
            "BlockRam": int(memory.block),
            "OutDepth": out_depth,
        },
        {"in": source},
        {"out": source},
        (
            Beats(source.beats, ("in",), ("store",), 1),
            Beats(source.beats, ("store",), ("out",), LATENCY + 1),
        ),
        memory.resources
        + fifo_resources(source.width, out_depth)
        + Resources(lut=6 * counter + 8, ff=5 * counter + source.width + 8),
        internal={"store": depth},
    )
