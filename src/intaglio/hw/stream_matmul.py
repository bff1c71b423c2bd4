# SPDX-License-Identifier: Apache-2.0
"""Product of two streams of matrices as a unit (`stream_matmul.sv`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from intaglio.hw.cost import Resources
from intaglio.hw.memory import ram
from intaglio.hw.multiplier import port_width, require_port
from intaglio.hw.products import MAC_LANES
from intaglio.hw.stream_fifo import fifo_depth, fifo_resources
from intaglio.hw.timing import Events, Give, Process, Take
from intaglio.hw.unit import Fold, Image, Stream, Unit, stream
from intaglio.hw.window_mac import output_lanes
from intaglio.ir.types import TensorType

#: Rows of a, and matrices of b, that there is room for: one is read while the next comes in.
PLACES = 2


@dataclass(frozen=True)
class Fill(Process):
    """Takes an input beat by beat; gives a token, a row or a matrix, with the last beat of each."""

    source: str
    channel: str
    tokens: int
    beats: int

    @property
    def slots(self) -> int:
        """One a beat."""
        return self.tokens * self.beats

    def events(self) -> Events:
        """Take at every beat; a token needs room from its first beat on."""
        taken = range(1, self.slots + 1)
        reserved = [slot // self.beats + 1 for slot in range(self.slots)]
        given = [beat // self.beats for beat in taken]
        take, give = Take(taken, taken), Give(reserved, given, 1)
        return Events(range(self.slots), {self.source: take}, {self.channel: give})


@dataclass(frozen=True)
class MatrixReader(Process):
    """Walks over the sums of each matrix, row by row; gives the beats of one at its last slot."""

    matrices: int
    rows: int
    outer: int
    steps: int
    beats: int
    latency: int

    @property
    def slots(self) -> int:
        """One a step."""
        return self.matrices * self.rows * self.outer * self.steps

    def events(self) -> Events:
        """Wait for a row, and for the matrix, where a row starts; give at the end of each sum."""
        at: list[int] = []
        needs: list[tuple[int, int]] = []
        releases: list[tuple[int, int]] = []
        given: list[int] = []
        for index in range(self.matrices * self.rows * self.outer):
            row, group = divmod(index, self.outer)
            matrix, place = divmod(row, self.rows)
            first, last = index * self.steps, (index + 1) * self.steps - 1
            if group == 0 and last > first:
                at.append(first)
                needs.append((row + 1, matrix + 1))
                releases.append((row, matrix))
                given.append(index * self.beats)
            row_done = group == self.outer - 1
            at.append(last)
            needs.append((row + 1, matrix + 1))
            releases.append((row + row_done, matrix + (row_done and place == self.rows - 1)))
            given.append((index + 1) * self.beats)
        takes = {
            channel: Take([need[i] for need in needs], [release[i] for release in releases])
            for i, channel in enumerate(("rows", "matrices"))
        }
        return Events(at, takes, {"out": Give(given, given, self.latency)})


def stream_matmul(a: TensorType, b: TensorType, y: TensorType, fold: Fold) -> Unit:
    """Return the unit of a product of matrices, `lanes_in` of K and `lanes_out` of N at once.

    Shapes: a (..., M, K), b (..., K, N), y (..., M, N).
    Slots: M * N/lanes_out * K/lanes_in for each matrix.

    Raises:
        ModelError: an operand is too wide.
    """
    require_port("x", a.integer)
    require_port("y", b.integer)
    rows, inner = a.shape[-2:]
    matrices = math.prod(a.shape[:-2])
    steps, outer = inner // fold.lanes_in, b.channels // fold.lanes_out
    out_lanes = output_lanes(fold.lanes_out, steps)
    beats = fold.lanes_out // out_lanes
    latency = 7 + (fold.lanes_in - 1).bit_length()
    out = Stream(out_lanes, y.integer, y.size // out_lanes)
    depth = fifo_depth(latency, beats)
    memory_a = ram(fold.lanes_in * a.integer.width, PLACES * steps)
    memory_b = ram(fold.lanes_out * b.integer.width, PLACES * steps * outer)
    zeros = Image.of("BiasFile", np.zeros((1, fold.lanes_out), dtype=np.int64), 1)
    parameters = {
        "WidthA": a.integer.width,
        "SignedA": int(a.integer.signed),
        "WidthB": b.integer.width,
        "SignedB": int(b.integer.signed),
        "LanesIn": fold.lanes_in,
        "LanesOut": fold.lanes_out,
        "Rows": rows,
        "Steps": steps,
        "Outer": outer,
        "BlockA": int(memory_a.block),
        "BlockB": int(memory_b.block),
        "SumWidth": y.integer.width + (not y.integer.signed),
        "OutWidth": y.integer.width,
        "OutLanes": out_lanes,
        "OutDepth": depth,
    }
    return Unit(
        "stream_matmul",
        (*MAC_LANES, "token_pair", "sliced_ram", "stream_fifo", "stream_matmul"),
        parameters,
        {"a": stream(a, fold.lanes_in), "b": stream(b, fold.lanes_out)},
        {"out": out},
        (
            Fill("a", "rows", matrices * rows, steps),
            Fill("b", "matrices", matrices, inner * outer),
            MatrixReader(matrices, rows, outer, steps, beats, latency + 1),
        ),
        memory_a.resources
        + memory_b.resources * fold.lanes_in
        + _control(a, b, fold, PLACES * steps * outer)
        + _sums(a, b, y, fold)
        + fifo_resources(out.width, depth),
        {"rows": PLACES, "matrices": PLACES},
        (zeros,),
        multipliers=fold.lanes_in * fold.lanes_out,
        macs=matrices * rows * inner * b.channels,
    )


def _control(a: TensorType, b: TensorType, fold: Fold, words: int) -> Resources:
    """Estimate counters and addresses, and the registers that write to both memories."""
    address = words.bit_length()
    written = fold.lanes_in * a.integer.width + fold.lanes_out * b.integer.width
    return Resources(lut=60 + 6 * address, ff=40 + 6 * address + written)


def _sums(a: TensorType, b: TensorType, y: TensorType, fold: Fold) -> Resources:
    """Estimate multipliers, adder trees, accumulators and what the sums leave through."""
    levels = (fold.lanes_in - 1).bit_length()
    product = port_width(a.integer) + port_width(b.integer)
    tree = (fold.lanes_in - 1) * (product + levels)
    width = y.integer.width
    lane = Resources(lut=tree + 3 * width + 2, ff=tree + 2 * width, dsp=fold.lanes_in)
    return lane * fold.lanes_out
