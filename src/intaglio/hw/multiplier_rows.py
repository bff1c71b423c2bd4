# SPDX-License-Identifier: Apache-2.0
"""The multiplier made of LUTs (`multiplier_rows.sv`, `row_adder.sv`), and what it takes.

Source: measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on operands of 1 to 8 bits, signed and
unsigned; `python -m pytest tests/hw/test_multiplier_rows.py` asks Yosys again for some. Yosys' own
product of 4 by 4 bits takes 57 LUTs, this one 22; its portable form, without the leaf, 40.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.numerics.types import IntType


def rows_resources(x: IntType, weight: IntType) -> Resources:
    """Return the cells of one product, the registers of both operands and of the product included.

    Exactness: the LUTs are those of the leaf for ECP5.
    """
    bits, gate = max(x.width, weight.width), _gate(x, weight)
    lut = sum(luts for _, _, luts in _adders(bits, 0, gate.width))
    lut += gate.width // 2  # the lowest bit of a pair of rows is only gated
    if gate.width == 1:
        lut = row_adder_luts(bits + 1) if gate.signed else bits
    return Resources(lut=lut, ff=2 * (x.width + weight.width))


def constant_rows_resources(x: IntType, weight: IntType, codes: np.ndarray) -> Resources:
    """Return the cells of the products of lanes with constants.

    Synthesis makes equal adders of a lane once, and none of which one half is always 0.
    Shapes: codes [outputs, lanes], of which those in a column are multiplied with one x.
    Exactness: for random codes Yosys finds 40 to 90 % of the LUTs; it also shortens adders.
    """
    bits, gate = max(x.width, weight.width), _gate(x, weight)
    constants = codes.astype(np.int64)
    lut = (
        row_adder_luts(bits + 1) * _distinct([constants]) if gate.width == 1 and gate.signed else 0
    )
    alike: dict[tuple[int, int, bool], list[np.ndarray]] = {}
    for first, span, luts in _adders(bits, 0, gate.width):
        negative = gate.signed and first + span == gate.width
        seen = _added(constants >> first, span, negative) if gate is weight else constants
        alike.setdefault((luts, span, negative), []).append(seen)
    lut += sum(luts * _distinct(seen) for (luts, _, _), seen in alike.items())
    products = (x.width + weight.width) * int(np.count_nonzero(codes))
    return Resources(lut=lut, ff=x.width * codes.shape[1] + products)


def _added(gates: np.ndarray, span: int, negative: bool) -> np.ndarray:
    """Return the lowest gates where their rows take an adder, else 0."""
    low = 1 << (span - 1).bit_length() - 1
    lower, upper = gates & (1 << low) - 1, gates >> low & (1 << span - low) - 1
    needed = (upper > 0) & ((lower > 0) | (negative and span - low == 1))
    return np.where(needed, upper << low | lower, 0)


def row_adder_luts(width: int) -> int:
    """Return the LUTs of a `row_adder`: one a bit, one to start the carry, and whole cells."""
    return 2 * (width // 2 + 1)


def _gate(x: IntType, weight: IntType) -> IntType:
    """Return the operand whose bits gate the other."""
    return weight if weight.width <= x.width else x


def _adders(bits: int, first: int, gates: int) -> Iterator[tuple[int, int, int]]:
    """Yield the adders of gated rows: first gate, gates, LUTs."""
    if gates > 1:
        low = 1 << (gates - 1).bit_length() - 1
        yield from _adders(bits, first, low)
        yield from _adders(bits, first + low, gates - low)
        yield first, gates, row_adder_luts(bits + gates - low)


def _distinct(codes: list[np.ndarray]) -> int:
    """Count the different codes of each column but 0, in all."""
    ordered = np.sort(np.concatenate(codes), axis=0)
    fresh = np.ones(ordered.shape, dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return int(np.count_nonzero(fresh & (ordered != 0)))
