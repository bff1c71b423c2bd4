# SPDX-License-Identifier: Apache-2.0
"""The multiplier that every unit with products is made of (`multiplier.sv`)."""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.devices.description import Device
from intaglio.devices.family import family
from intaglio.errors import ModelError
from intaglio.hw.cost import Resources
from intaglio.numerics.types import IntType

#: What one port of the narrowest supported multiplier takes, signed.
PORT_BITS = 18
#: Product bits that the low half of an operand split over two multipliers carries.
SPLIT_BITS = 17


@dataclass(frozen=True, slots=True)
class Multiplier:
    """One `multiplier` of two signed operands of so many bits."""

    a: int
    b: int

    @property
    def resources(self) -> Resources:
        """What a unit adds to its own for this multiplier."""
        return Resources(parts=((self, 1),))

    def on(self, device: Device) -> Resources:
        """Return the cells it takes.

        Raises:
            ModelError: the family of the device has no multiplier so wide.
        """
        dsp, lut, ff = family(device.family).multiplier(self.a, self.b)
        return Resources(lut=lut, ff=ff, dsp=dsp)


def port_width(element: IntType) -> int:
    """Return the bits an element takes at a signed port."""
    return element.width + (not element.signed)


def require_port(what: str, element: IntType, ports: int = 1) -> None:
    """Check that an operand fits the ports of so many multipliers side by side.

    Raises:
        ModelError: it is wider.
    """
    limit = PORT_BITS + (ports - 1) * SPLIT_BITS
    if port_width(element) > limit:
        raise ModelError(
            f"{what} must fit {limit} signed bits in hardware, not {element}: requantize it first"
        )
