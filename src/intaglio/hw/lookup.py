# SPDX-License-Identifier: Apache-2.0
"""Function by table as a unit (`lookup.sv`)."""

from __future__ import annotations

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Image, Unit, stream
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType

LATENCY = 3


def lookup(x: TensorType, table: Constant, y: TensorType, lanes: int) -> Unit:
    """Return the unit that replaces every element by its entry of a table.

    Shapes: table [codes of x's type], from the lowest code up.
    """
    fields = by_address(table.data, x.integer)
    image = Image.of("TableFile", fields.reshape(-1, 1), y.integer.width)
    out = stream(y, lanes)
    depth = fifo_depth(LATENCY)
    parameters = {
        "Width": x.integer.width,
        "Lanes": lanes,
        "BlockTable": int(image.memory.block),
        "OutWidth": y.integer.width,
        "OutDepth": depth,
    }
    lane = image.memory.resources + Resources(ff=x.integer.width)
    return Unit(
        "lookup",
        ("sliced_rom", "stream_fifo", "lookup"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (Beats(out.beats, ("in",), ("out",), LATENCY + 1),),
        lane * lanes + Resources(lut=2, ff=3) + fifo_resources(out.width, depth),
        images=(image,),
    )


def by_address(table: np.ndarray, element: IntType) -> np.ndarray:
    """Order a table by the bits of its codes, as memory is addressed.

    Negative codes have the upper half of the addresses. The code that a narrow type leaves out
    never comes; its entry is 0.
    """
    addressed = np.zeros(1 << element.width, dtype=np.int64)
    addressed[np.arange(element.min, element.max + 1)] = table
    return addressed
