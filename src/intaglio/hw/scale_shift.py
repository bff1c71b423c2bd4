# SPDX-License-Identifier: Apache-2.0
"""Requantize as a unit (`scale_shift.sv`)."""

from __future__ import annotations

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.memory import CYCLIC_ROM
from intaglio.hw.multiplier import PORT_BITS, SPLIT_BITS, Multiplier, port_width, require_port
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Beats
from intaglio.hw.unit import Image, Unit, stream
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType


def scale_shift(
    x: TensorType, multiplier: Constant, y: TensorType, shift: int, zero_point: int, lanes: int
) -> Unit:
    """Return the unit of a requantize that rounds half up.

    Shapes: x and y (..., C), multiplier [C] or [1].

    Raises:
        ModelError: x or the multiplier is too wide.
    """
    element, target = x.integer, y.integer
    factors = multiplier.data.astype(np.int64)
    trivial = bool(np.all(factors == 1))
    if not trivial:
        require_port("what is requantized", element, ports=2)
        require_port("multiplier", multiplier.type.integer)
    width = multiplier.type.integer.width
    if len(factors) == 1 or np.all(factors == factors[0]):
        fields = np.full((1, lanes), factors[0])
    else:
        fields = factors.reshape(-1, lanes)
    image = Image.of("MultiplierFile", fields, width)
    latency = 2 if trivial else 7
    depth = fifo_depth(latency)
    out = stream(y, lanes)
    parameters = {
        "Width": element.width,
        "Signed": int(element.signed),
        "Lanes": lanes,
        "UseMultiplier": int(not trivial),
        "MultiplierWidth": width,
        "MultiplierWords": len(fields),
        "BlockMultipliers": int(image.memory.block),
        "Shift": shift,
        "ZeroPoint": zero_point,
        "Low": target.min,
        "High": target.max,
        "OutWidth": target.width,
        "OutDepth": depth,
    }
    memory = Resources() if trivial else image.memory.resources
    lane = _lane(port_width(element), 0 if trivial else width + 1, shift, zero_point, target.width)
    return Unit(
        "scale_shift",
        (*CYCLIC_ROM, "multiplier", "stream_fifo", "scale_shift"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (Beats(out.beats, ("in",), ("out",), latency + 1),),
        lane * lanes + memory + fifo_resources(out.width, depth),
        images=() if trivial else (image,),
    )


def _lane(operand: int, factor: int, shift: int, zero_point: int, target: int) -> Resources:
    """Estimate what one lane takes; operand, factor and target are in bits, no factor being 0."""
    operands = _multiplied(operand) if factor else ()
    product = operand + factor
    kept = max(1, product + 2 - shift)  # bits that rounding can change
    joined = max(0, product - SPLIT_BITS) if len(operands) > 1 else 0
    lane = Resources(
        lut=kept * (3 if zero_point else 2) + joined + 2 * target,
        ff=(2 * operand if factor else 0) + 2 * kept + joined + target,
    )
    return sum((Multiplier(bits, factor).resources for bits in operands), lane)


def _multiplied(operand: int) -> tuple[int, ...]:
    """Return the bits of the operands that x becomes: split in two if it is wide."""
    return (operand,) if operand <= PORT_BITS else (operand - SPLIT_BITS, SPLIT_BITS + 1)
