# SPDX-License-Identifier: Apache-2.0
"""Padding as a unit (`border.sv`)."""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Unit, stream
from intaglio.ir.types import TensorType

LATENCY = 1


@dataclass(frozen=True)
class BorderProcess(Process):
    """A slot an output beat; an input beat is taken where it lies inside the image."""

    rows: int
    columns: int
    groups: int
    padding: tuple[int, int, int, int]

    @property
    def slots(self) -> int:
        """One a beat that goes out."""
        top, left, bottom, right = self.padding
        return (self.rows + top + bottom) * (self.columns + left + right) * self.groups

    def events(self) -> Events:
        """Give at every slot, take at those inside."""
        top, left, _, right = self.padding
        row = (left + self.columns + right) * self.groups
        taken = []
        count = 0
        for slot in range(self.slots):
            p, rest = divmod(slot, row)
            q = rest // self.groups
            if top <= p < top + self.rows and left <= q < left + self.columns:
                count += 1
            taken.append(count)
        given = range(1, self.slots + 1)
        return Events(
            range(self.slots), {"in": Take(taken, taken)}, {"out": Give(given, given, LATENCY + 1)}
        )


def border(
    x: TensorType, y: TensorType, padding: tuple[int, int, int, int], value: int, lanes: int
) -> Unit:
    """Return the unit that surrounds images with a code. Slots: its output beats."""
    rows, columns, channels = x.shape
    groups = channels // lanes
    top, left, bottom, right = padding
    out = stream(y, lanes)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": x.integer.width,
        "Signed": int(x.integer.signed),
        "Lanes": lanes,
        "Groups": groups,
        "Rows": rows,
        "Columns": columns,
        "Top": top,
        "Left": left,
        "Bottom": bottom,
        "Right": right,
        "Value": value,
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    counters = (y.shape[0] * y.shape[1] * groups).bit_length()
    return Unit(
        "border",
        ("loop_counter", "stream_fifo", "border"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (BorderProcess(rows, columns, groups, padding),),
        Resources(lut=out.width + 4 * counters, ff=out.width + counters)
        + fifo_resources(out.width, depth),
    )
