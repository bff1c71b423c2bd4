# SPDX-License-Identifier: Apache-2.0
"""The multiplier made of LUTs (`multiplier_rows.sv`, `row_adder.sv`), and what it takes.

Source: measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on all operands of 1 to 8 bits, signed and
unsigned; `python -m pytest tests/hw/test_multiplier_rows.py` asks Yosys again for some. Yosys' own
product of 4 by 4 bits takes 57 LUTs, this one 22.
"""

from __future__ import annotations

from intaglio.hw.cost import Resources
from intaglio.numerics.types import IntType


def rows_resources(a: IntType, b: IntType) -> Resources:
    """Return the cells of one product, the registers of both operands and of the product included.

    Exactness: the LUTs are those of the leaf for ECP5. The portable form takes about twice as many.
    """
    bits, gates = max(a.width, b.width), min(a.width, b.width)
    if gates > 1:
        lut = _sum_luts(bits, gates)
    else:
        gate = b if a.width >= b.width else a
        lut = row_adder_luts(bits + 1) if gate.signed else bits
    return Resources(lut=lut, ff=2 * (a.width + b.width))


def row_adder_luts(width: int) -> int:
    """Return the LUTs of a `row_adder`: one a bit, one to start the carry, and whole cells."""
    return 2 * (width // 2 + 1)


def _sum_luts(bits: int, gates: int) -> int:
    """Return the LUTs that add so many gated rows; the lowest bit of a pair is only gated."""
    if gates == 1:
        return 0
    low = 1 << (gates - 1).bit_length() - 1
    high = gates - low
    halves = _sum_luts(bits, low) + _sum_luts(bits, high)
    return halves + row_adder_luts(bits + high) + (low == 1)
