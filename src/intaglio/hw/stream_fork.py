# SPDX-License-Identifier: Apache-2.0
"""One stream to two readers (`stream_fork.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import SHALLOW, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Stream, Unit

LATENCY = 1


def stream_fork(source: Stream, depths: tuple[int, int] = (SHALLOW, SHALLOW)) -> Unit:
    """Return the unit that copies a stream into two FIFOs of the given depths."""
    resources = Resources(ff=source.width)
    for depth in depths:
        resources += fifo_resources(source.width, depth)
    return Unit(
        "stream_fork",
        ("stream_fifo", "stream_fork"),
        {"Width": source.width, "DepthA": depths[0], "DepthB": depths[1]},
        {"in": source},
        {"a": source, "b": source},
        (Beats(source.beats, ("in",), ("a", "b"), LATENCY + 1),),
        resources,
        depths={"a": "DepthA", "b": "DepthB"},
    )
