# SPDX-License-Identifier: Apache-2.0
"""The FIFO at the end of every unit (`stream_fifo.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.memory import fifo

#: Edges from a beat's being taken to its place being free for an issue.
RETURN_LATENCY = 2
#: A FIFO of distributed RAM costs the same at any depth up to this.
SHALLOW = 16


def fifo_depth(latency: int, burst: int = 1) -> int:
    """Return a depth that never throttles a unit which gives a beat a cycle.

    A place is taken at issue, filled `latency` edges later, and free again after it is read: so
    many beats are under way at once.
    """
    depth = SHALLOW
    while depth < max(latency + burst + 5, 2 * burst):
        depth *= 2
    return depth


def fifo_resources(width: int, depth: int) -> Resources:
    """Estimate the cells of a FIFO."""
    pointer = depth.bit_length()
    return Resources(lut=5 * pointer + 8, ff=4 * pointer) + fifo(width, depth).resources
