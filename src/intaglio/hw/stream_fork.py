# SPDX-License-Identifier: Apache-2.0
"""One stream to two readers (`stream_fork.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import SHALLOW, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Stream, Unit

LATENCY = 1


def stream_fork(source: Stream) -> Unit:
    """Return the unit that copies a stream into two shallow FIFOs."""
    return Unit(
        "stream_fork",
        ("stream_fifo", "stream_fork"),
        {"Width": source.width, "OutDepth": SHALLOW},
        {"in": source},
        {"a": source, "b": source},
        (Beats(source.beats, ("in",), ("a", "b"), LATENCY + 1),),
        Resources(ff=source.width) + fifo_resources(source.width, SHALLOW) * 2,
        depths={"a": "OutDepth", "b": "OutDepth"},
    )
