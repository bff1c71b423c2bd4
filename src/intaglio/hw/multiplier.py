# SPDX-License-Identifier: Apache-2.0
"""The multiplier that every unit with products is made of (`multiplier.sv`)."""

from __future__ import annotations

from intaglio.errors import ModelError
from intaglio.numerics.types import IntType

#: What one port of the narrowest supported multiplier takes, signed.
PORT_BITS = 18
#: Product bits that the low half of an operand split over two multipliers carries.
SPLIT_BITS = 17


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
