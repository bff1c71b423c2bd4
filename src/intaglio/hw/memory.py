# SPDX-License-Identifier: Apache-2.0
"""Whether a memory goes to block RAM or to logic, and the cells it takes on a device.

A block memory is built from slices as wide as one 18-Kbit block is at the memory's depth, each of
which becomes one such block exactly. Left whole, a deep memory would be stacked from blocks in
depth, with a multiplexer behind them, and a block's 5.6 ns of clock-to-output on ECP5 leaves no
time for one. A family with smaller blocks makes each slice of several.

Source: measured with Yosys 0.70 on 120 sizes of ROM and simple dual-port RAM for ECP5;
`benchmarks/resource_model.py` measures every family.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from intaglio.devices.description import Device
from intaglio.devices.family import Family, family
from intaglio.hw.cost import Resources

#: (width, depth) forms of one 18-Kbit block, by which memories are cut into slices.
GEOMETRIES = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
#: A memory goes to block RAM when that saves at least this many LUTs a block. An LFE5U part has
#: about 400 LUTs for each of its blocks, and blocks are seldom what runs out first.
LUTS_PER_BLOCK = 128
#: Distributed RAM needs a read multiplexer beyond this depth, which soon outgrows the RAM.
DISTRIBUTED_DEPTH = 32
#: The modules that a memory read in a fixed circle is made of.
CYCLIC_ROM = ("loop_counter", "sliced_rom", "cyclic_rom")


class Kind(Enum):
    """What a memory does: ROM and RAM have registered reads and a registered output."""

    ROM = "rom"
    RAM = "ram"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory, and whether it is meant for block RAM."""

    kind: Kind
    width: int
    depth: int
    block: bool

    @property
    def slice_width(self) -> int:
        """Width of the slices it is built of."""
        return min(self.width, slice_width(self.depth)) if self.block else self.width

    @property
    def resources(self) -> Resources:
        """What a unit adds to its own for this memory."""
        return Resources(parts=((self, 1),))

    def on(self, device: Device) -> Resources:
        """Return the cells it takes."""
        kind = family(device.family)
        if self.block or (self.kind is not Kind.ROM and not any(kind.distributed)):
            return self._blocks(device)
        if self.kind is Kind.ROM:
            luts = rom_luts(self.width, self.depth, kind)
            return Resources(lut=luts, ff=(2 if self.depth > 1 else 0) * self.width)
        luts = distributed_luts(self.width, self.depth, kind)
        flops = distributed_flops(self.width, self.depth, kind)
        return Resources(lut=luts, ff=flops + (0 if self.kind is Kind.FIFO else 2 * self.width))

    def _blocks(self, device: Device) -> Resources:
        """A FIFO in block RAM has a bypass: a register and a choice of its width."""
        full, last = divmod(self.width, self.slice_width)
        blocks = full * _slice_blocks(self.slice_width, self.depth, device)
        if last:
            blocks += _slice_blocks(last, self.depth, device)
        bypass = self.width + 1 if self.kind is Kind.FIFO else 0
        return Resources(lut=bypass, ff=bypass or self.width, bram=blocks)


def rom(width: int, depth: int) -> Memory:
    """Choose the kind of a ROM with registered reads and a registered output."""
    block = _rom_tables(width, depth) > _blocks(width, depth) * LUTS_PER_BLOCK
    return Memory(Kind.ROM, width, depth, block)


def ram(width: int, depth: int) -> Memory:
    """Choose the kind of a simple dual-port RAM with registered reads and a registered output."""
    luts = distributed_luts(width, depth, family("ecp5"))
    block = depth > DISTRIBUTED_DEPTH or luts > _blocks(width, depth) * LUTS_PER_BLOCK
    return Memory(Kind.RAM, width, depth, block)


def fifo(width: int, depth: int) -> Memory:
    """Return the memory of a FIFO, which gives its oldest word without waiting for a clock."""
    return Memory(Kind.FIFO, width, depth, block=False)


def slice_width(depth: int) -> int:
    """Return how wide one block is at a depth; deeper memories stack one-bit blocks."""
    return next((width for width, most in GEOMETRIES if depth <= most), 1)


def distributed_luts(width: int, depth: int, kind: Family) -> int:
    """LUTs of a distributed RAM: cells side by side and in banks, and the choice of a bank."""
    _, words, luts, _, choice = kind.distributed
    banks = -(-depth // words)
    muxes = choice * width * (banks - 1) + 2 if banks > 1 else 0
    return luts * _distributed_cells(width, depth, kind) + muxes


def distributed_flops(width: int, depth: int, kind: Family) -> int:
    """Flip-flops that the cells of a distributed RAM take with them."""
    return kind.distributed[3] * _distributed_cells(width, depth, kind)


def _distributed_cells(width: int, depth: int, kind: Family) -> int:
    bits, words, *_ = kind.distributed
    return -(-width // bits) * -(-depth // words)


def rom_luts(width: int, depth: int, kind: Family) -> int:
    """LUTs of a ROM of random contents: the depth counts rounded up to a power of two."""
    if depth == 1:
        return 0
    tables = max(1, (1 << (depth - 1).bit_length()) >> kind.lut_inputs)
    return width * (tables + kind.rom_mux * (tables - 1))


def _rom_tables(width: int, depth: int) -> int:
    return rom_luts(width, depth, family("ecp5"))


def _blocks(width: int, depth: int) -> int:
    return -(-width // slice_width(depth)) * -(-depth // GEOMETRIES[-1][1])


def _slice_blocks(width: int, depth: int, device: Device) -> int:
    """Blocks of a device that hold a slice: side by side, and stacked where it is deeper."""
    return min(-(-width // bits) * -(-depth // words) for bits, words in device.bram_geometries)
