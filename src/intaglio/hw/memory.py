# SPDX-License-Identifier: Apache-2.0
"""How many block RAMs a memory takes, and whether it should take any.

Source: measured with Yosys 0.70, `synth_lattice -family ecp5`, on 120 random sizes of ROM and
simple dual-port RAM; the formulas met every one. `python -m pytest tests/hw/test_memory.py` asks
Yosys again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from intaglio.hw.cost import Resources

#: (width, depth) forms of one 18-Kbit block of the ECP5 family.
GEOMETRIES = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
#: A memory goes to block RAM when that saves at least this many LUTs a block. An LFE5U part has
#: about 400 LUTs for each of its blocks, and blocks are seldom what runs out first.
LUTS_PER_BLOCK = 128
#: Distributed RAM needs a read multiplexer beyond this depth, which soon outgrows the RAM.
DISTRIBUTED_DEPTH = 32


@dataclass(frozen=True)
class Memory:
    """A memory of a chosen kind and what it takes."""

    block: bool
    resources: Resources


def rom(width: int, depth: int) -> Memory:
    """Choose the kind of a ROM with registered reads."""
    luts = _rom_luts(width, depth)
    blocks = min(-(-width * -(-depth // d) // w) for w, d in GEOMETRIES)
    slices = min(-(-depth // d) for w, d in GEOMETRIES if -(-width * -(-depth // d) // w) == blocks)
    if luts <= blocks * LUTS_PER_BLOCK:
        return Memory(False, Resources(lut=luts, ff=2 * width))
    return Memory(True, Resources(lut=_mux(width, slices), ff=width, bram=blocks))


def ram(width: int, depth: int) -> Memory:
    """Choose the kind of a simple dual-port RAM with registered reads."""
    if depth <= DISTRIBUTED_DEPTH:
        return Memory(False, Resources(lut=distributed_luts(width, depth), ff=2 * width))
    blocks = min(-(-width // w) * -(-depth // d) for w, d in GEOMETRIES)
    slices = min(-(-depth // d) for w, d in GEOMETRIES if -(-width // w) * -(-depth // d) == blocks)
    return Memory(True, Resources(lut=_mux(width, slices), ff=width, bram=blocks))


def distributed_luts(width: int, depth: int) -> int:
    """LUTs of a distributed RAM: 16x4 blocks of 4 LUTs and 2 for the write port, then muxes."""
    banks = -(-depth // 16)
    return 6 * -(-width // 4) * banks + (width + 2 if banks > 1 else 0)


def _rom_luts(width: int, depth: int) -> int:
    """LUTs of a ROM of random contents: the depth counts rounded up to a power of two."""
    if depth == 1:
        return 0
    return width * max(1, (1 << (depth - 1).bit_length()) // 16)


def _mux(width: int, ways: int) -> int:
    return width * math.ceil((ways - 1) * 2 / 3) if ways > 1 else 0
