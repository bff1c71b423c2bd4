# SPDX-License-Identifier: Apache-2.0
"""How many block RAMs a memory takes, and whether it should take any.

A block memory is built from slices as wide as one block is at the memory's depth, each of which
becomes one block exactly. Left whole, a deep memory would be stacked from blocks in depth, with a
multiplexer behind them, and a block's 5.6 ns of clock-to-output on ECP5 leaves no time for one.

Source: measured with Yosys 0.70, `synth_lattice -family ecp5`, on 120 sizes of ROM and simple
dual-port RAM. `python -m pytest tests/hw/test_memory.py` asks Yosys again.
"""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.hw.cost import Resources

#: (width, depth) forms of one 18-Kbit block, of ECP5 and of most other families.
GEOMETRIES = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
#: A memory goes to block RAM when that saves at least this many LUTs a block. An LFE5U part has
#: about 400 LUTs for each of its blocks, and blocks are seldom what runs out first.
LUTS_PER_BLOCK = 128
#: Distributed RAM needs a read multiplexer beyond this depth, which soon outgrows the RAM.
DISTRIBUTED_DEPTH = 32


@dataclass(frozen=True)
class Memory:
    """A memory of a chosen kind, the width of its slices, and what it takes."""

    block: bool
    slice_width: int
    resources: Resources


def slice_width(depth: int) -> int:
    """Return how wide one block is at a depth; deeper memories stack one-bit blocks."""
    return next((width for width, most in GEOMETRIES if depth <= most), 1)


def rom(width: int, depth: int) -> Memory:
    """Choose the kind of a ROM with registered reads and a registered output."""
    luts = rom_luts(width, depth)
    if luts <= _blocks(width, depth) * LUTS_PER_BLOCK:
        return Memory(False, width, Resources(lut=luts, ff=(2 if depth > 1 else 0) * width))
    return _block(width, depth)


def ram(width: int, depth: int) -> Memory:
    """Choose the kind of a simple dual-port RAM with registered reads and a registered output."""
    luts = distributed_luts(width, depth)
    if depth > DISTRIBUTED_DEPTH or luts > _blocks(width, depth) * LUTS_PER_BLOCK:
        return _block(width, depth)
    return Memory(False, width, Resources(lut=luts, ff=2 * width))


def distributed_luts(width: int, depth: int) -> int:
    """LUTs of a distributed RAM: 16x4 blocks of 4 LUTs and 2 for the write port, then muxes."""
    banks = -(-depth // 16)
    return 6 * -(-width // 4) * banks + (width + 2 if banks > 1 else 0)


def rom_luts(width: int, depth: int) -> int:
    """LUTs of a ROM of random contents: the depth counts rounded up to a power of two."""
    if depth == 1:
        return 0
    return width * max(1, (1 << (depth - 1).bit_length()) // 16)


def _block(width: int, depth: int) -> Memory:
    widest = min(width, slice_width(depth))
    return Memory(True, widest, Resources(ff=width, bram=_blocks(width, depth)))


def _blocks(width: int, depth: int) -> int:
    return -(-width // slice_width(depth)) * -(-depth // GEOMETRIES[-1][1])
