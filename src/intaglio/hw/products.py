# SPDX-License-Identifier: Apache-2.0
"""How the products of a unit are made, for which operands, and what that takes.

One multiplier of a device does two products with a common operand where both fit it
(`multiplier_pair.sv`); products of few bits can be made of LUTs (`multiplier_rows.sv`). All kinds
have the same timing, so a unit's cycles do not depend on the choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.memory import CYCLIC_ROM
from intaglio.hw.multiplier import PORT_BITS, Multiplier, port_width
from intaglio.hw.multiplier_rows import constant_rows_resources, row_adder_luts, rows_resources
from intaglio.numerics.types import IntType

#: The widest operand that is multiplied in LUTs: 8 by 8 bits takes 82 of them, and an LFE5U part
#: has at least 500 for each of its multipliers.
ROWS_BITS = 8
#: The modules that lanes of products and their sums are made of.
MAC_LANES = (
    *CYCLIC_ROM,
    *("multiplier", "row_adder", "multiplier_rows", "multiplier_pair", "mac_lanes"),
)


class Products(StrEnum):
    """A multiplier for each product, LUTs, or a multiplier for the products of two outputs."""

    DSP = "dsp"
    ROWS = "rows"
    PAIR = "pair"

    @property
    def parameter(self) -> int:
        """Its number in a module."""
        return tuple(Products).index(self)


def legal_products(x: IntType, weight: IntType, lanes_out: int) -> Iterator[Products]:
    """Yield the kinds of products of so many outputs with x that exist and can be worth it."""
    yield Products.DSP
    if max(x.width, weight.width) <= ROWS_BITS:
        yield Products.ROWS
    if lanes_out % 2 == 0 and pair_is_exact(x, weight):
        yield Products.PAIR


def pair_is_exact(x: IntType, weight: IntType) -> bool:
    """Tell whether two weights fit one port of a multiplier with the product of x and one between.

    Packed they are `high * 2^shift + low`; every product of x with a weight fits `shift` bits.
    """
    shift = x.width + weight.width
    lowest, highest = ((code << shift) + code for code in (weight.min, weight.max))
    bound = 1 << (PORT_BITS - 1)
    return -bound <= lowest and highest < bound and port_width(x) <= PORT_BITS


def products_resources(kind: Products, x: IntType, weight: IntType, codes: np.ndarray) -> Resources:
    """Return the cells of the products of lanes with weights.

    Shapes: codes [words, outputs, lanes]; every output is a sum over the same lanes of x.
    """
    words, outputs, lanes = codes.shape
    count = outputs * lanes
    if kind is Products.DSP:
        return Multiplier(port_width(x), port_width(weight)).resources * count
    if kind is Products.PAIR:
        return _pair_resources(x, weight) * (count // 2)
    if words == 1:
        return constant_rows_resources(x, weight, codes[0])
    each = rows_resources(x, weight)
    return Resources(lut=each.lut, ff=each.ff - x.width) * count + Resources(ff=x.width) * lanes


def _pair_resources(x: IntType, weight: IntType) -> Resources:
    """Return the cells of two products; a borrow where weights are signed, and its return."""
    borrow = row_adder_luts(weight.width + 1) if weight.signed else 0
    back = row_adder_luts(x.width + weight.width) if x.signed or weight.signed else 0
    return Resources(lut=borrow + back) + Multiplier(port_width(x), PORT_BITS).resources
