# SPDX-License-Identifier: Apache-2.0
"""Change of lanes as a unit (`stream_width.sv`)."""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Stream, Unit
from intaglio.numerics.types import IntType

LATENCY = 1


def stream_width(element: IntType, elements: int, lanes_in: int, lanes_out: int) -> Unit:
    """Return the unit that regroups `elements` a frame; one lanes must divide the other."""
    source = Stream(lanes_in, element, elements // lanes_in)
    out = Stream(lanes_out, element, elements // lanes_out)
    depth = fifo_depth(LATENCY)
    slots = max(source.beats, out.beats)
    parameters = {
        "Width": element.width,
        "InLanes": lanes_in,
        "OutLanes": lanes_out,
        "OutDepth": depth,
    }
    process = Beats(
        slots,
        ("in",),
        ("out",),
        LATENCY + 1,
        take_every=slots // source.beats,
        give_every=slots // out.beats,
    )
    ways = lanes_in // lanes_out
    return Unit(
        "stream_width",
        ("loop_counter", "stream_fifo", "stream_width"),
        parameters,
        {"in": source},
        {"out": out},
        (process,),
        Resources(lut=out.width * (ways // 2) + 6, ff=out.width + 4)
        + fifo_resources(out.width, depth),
    )


def regroup(element: IntType, elements: int, lanes_in: int, lanes_out: int) -> tuple[Unit, ...]:
    """Return the units that turn one number of lanes into another: none, one, or two in a row."""
    if lanes_in == lanes_out:
        return ()
    if lanes_in % lanes_out == 0 or lanes_out % lanes_in == 0:
        return (stream_width(element, elements, lanes_in, lanes_out),)
    return (
        stream_width(element, elements, lanes_in, 1),
        stream_width(element, elements, 1, lanes_out),
    )
