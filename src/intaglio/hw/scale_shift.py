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
    x: TensorType,
    multiplier: Constant,
    y: TensorType,
    shift: int,
    zero_point: int,
    lanes: int,
    addend: Constant | None = None,
    moved: int | None = None,
) -> Unit:
    """Return the unit of a requantize: with an addend a channel, or else rounding half up.

    Of whole numbers those with `moved` as their last bit become one less, if that is given.

    Shapes: x and y (..., C), multiplier and addend [C] or [1].

    Raises:
        ModelError: x or the multiplier is too wide.
    """
    element, target, factor = x.integer, y.integer, multiplier.type.integer
    trivial = bool(np.all(multiplier.data == 1))
    if not trivial:
        require_port("what is requantized", element, ports=2)
        require_port("multiplier", factor, ports=2)
    images = [] if trivial else [_image("MultiplierFile", multiplier, factor.width, lanes)]
    if addend is not None:
        images.append(_image("AddendFile", addend, port_width(addend.type.integer), lanes))
    latency = 7 if images else 2
    depth = fifo_depth(latency)
    out = stream(y, lanes)
    parameters = {
        "Width": element.width,
        "Signed": int(element.signed),
        "Lanes": lanes,
        "UseMultiplier": int(not trivial),
        "Shift": shift,
        "ZeroPoint": zero_point,
        "Low": target.min,
        "High": target.max,
        "OutWidth": target.width,
        "OutDepth": depth,
    }
    parameters |= {} if moved is None else {"MoveTies": 1, "MovedBit": moved}
    parameters |= {} if trivial else _memory("Multiplier", images[0], int(factor.signed))
    parameters |= {} if addend is None else {"UseAddend": 1} | _memory("Addend", images[-1])
    added = images[-1].field_width if addend is not None else 0
    lane = _lane(
        port_width(element), 0 if trivial else port_width(factor), shift, zero_point, target.width
    ) + Resources(lut=added, ff=3 * added)
    return Unit(
        "scale_shift",
        (*CYCLIC_ROM, "delay", "multiplier", "stream_fifo", "scale_shift"),
        parameters,
        {"in": stream(x, lanes)},
        {"out": out},
        (Beats(out.beats, ("in",), ("out",), latency + 1),),
        sum((image.memory.resources for image in images), lane * lanes)
        + fifo_resources(out.width, depth),
        images=tuple(images),
    )


def _memory(name: str, image: Image, signed: int | None = None) -> dict[str, int]:
    """Return what the module must know of a memory."""
    found = {f"{name}Width": image.field_width, f"{name}Words": len(image.fields)}
    found[f"Block{name}s"] = int(image.memory.block)
    return found if signed is None else found | {f"{name}Signed": signed}


def _image(parameter: str, constant: Constant, width: int, lanes: int) -> Image:
    """Return the memory of one number a channel, one word if they are all the same."""
    numbers = constant.data.astype(np.int64)
    if np.all(numbers == numbers[0]):
        return Image.of(parameter, np.full((1, lanes), numbers[0]), width)
    return Image.of(parameter, numbers.reshape(-1, lanes), width)


def _lane(operand: int, factor: int, shift: int, zero_point: int, target: int) -> Resources:
    """Estimate what one lane takes; operand, factor and target are in bits, no factor being 0."""
    pairs = [(a, b) for a in _multiplied(operand) for b in _multiplied(factor)] if factor else []
    product = operand + factor
    kept = max(1, product + 2 - shift)  # bits that rounding can change
    joined = max(0, product - SPLIT_BITS) * max(0, len(pairs) - 1)
    lane = Resources(
        lut=kept * (3 if zero_point else 2) + joined + 2 * target,
        ff=(2 * operand if factor else 0) + 2 * kept + joined + target,
    )
    return sum((Multiplier(a, b).resources for a, b in pairs), lane)


def _multiplied(operand: int) -> tuple[int, ...]:
    """Return the bits of the operands that x becomes: split in two if it is wide."""
    return (operand,) if operand <= PORT_BITS else (operand - SPLIT_BITS, SPLIT_BITS + 1)
