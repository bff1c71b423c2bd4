# SPDX-License-Identifier: Apache-2.0
"""The window buffer (`window_buffer.sv`): geometry, its two processes, its cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from intaglio.hw.cost import Resources
from intaglio.hw.memory import Memory, ram
from intaglio.hw.timing import Events, Give, Process, Take

BLOCKS = ("loop_counter", "window_steps", "sliced_ram", "row_stack", "window_buffer")


@dataclass(frozen=True)
class Window:
    """Where windows lie in an unpadded image, and how many channels move at once.

    `stacked` stores all kernel columns of a window row side by side, `whole` all kernel rows too;
    a slot then reads them all.
    The words of a pixel fall into `parts` (groups of channels; for pooling a part is one word), and
    `passes` are made over each part of a window (a pass for some output channels).
    """

    rows: int
    columns: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    lanes: int
    width: int
    stacked: bool = False
    parts: int = 1
    passes: int = 1
    slack: int = 0
    whole: bool = False
    dilation: tuple[int, int] = (1, 1)

    @property
    def groups(self) -> int:
        """Words in a pixel."""
        return self.channels // self.lanes

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns that a window reaches over."""
        down, across = ((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        return down + 1, across + 1

    @property
    def out_rows(self) -> int:
        """Windows down the image."""
        return (self.rows - self.span[0]) // self.stride[0] + 1

    @property
    def out_columns(self) -> int:
        """Windows across the image."""
        return (self.columns - self.span[1]) // self.stride[1] + 1

    @property
    def window_rows(self) -> int:
        """Stored rows that a window reaches over."""
        return 1 if self.whole else self.span[0]

    @property
    def window_slots(self) -> int:
        """Slots of one pass over one part of a window."""
        rows = 1 if self.whole else self.kernel[0]
        columns = 1 if self.stacked else self.kernel[1]
        return rows * columns * (self.groups // self.parts)

    @property
    def row_reads(self) -> int:
        """Reads of one part of a window, one pass after another, in a row of windows."""
        return self.out_columns * self.parts * self.passes

    @property
    def slots(self) -> int:
        """Slots of a frame."""
        return self.out_rows * self.row_reads * self.window_slots

    @property
    def row_step(self) -> int:
        """Stored rows that a row of windows gives back, the last one aside."""
        return min(self.window_rows, self.stride[0])

    @property
    def buffer_rows(self) -> int:
        """Rows held: those of one window, as many again for the next frame's first, and slack."""
        return 2 * self.window_rows + self.slack

    def stores(self, row: int) -> bool:
        """Tell whether a row of the image is stored: one in reach of windows, or that ends some."""
        span, step = self.span[0], self.stride[0]
        if row >= (self.out_rows - 1) * step + span:
            return False
        if self.whole:
            return row >= span - 1 and (row - span + 1) % step == 0
        return row % step < span

    @property
    def row_words(self) -> int:
        """Stored words in a row."""
        return (self.out_columns if self.stacked else self.columns) * self.groups

    @property
    def word_width(self) -> int:
        """Bits of a stored word."""
        return (self.kernel[0] if self.whole else 1) * self.row_word_width

    @property
    def row_word_width(self) -> int:
        """Bits of a word before rows are put side by side."""
        return (self.kernel[1] if self.stacked else 1) * self.lanes * self.width

    @cached_property
    def memory(self) -> Memory:
        """The row memory."""
        return ram(self.word_width, self.buffer_rows * self.row_words)

    @cached_property
    def stack_memory(self) -> Memory | None:
        """The memory that holds the rows above the latest, where rows are put side by side."""
        if not self.whole:
            return None
        return ram((self.span[0] - 1) * self.row_word_width, self.row_words)

    @property
    def parameters(self) -> dict[str, int]:
        """Parameters that every module around a window buffer has."""
        return {
            "Lanes": self.lanes,
            "Groups": self.groups,
            "Rows": self.rows,
            "Columns": self.columns,
            "BufferRows": self.buffer_rows,
            "RowWords": self.row_words,
            "OutRows": self.out_rows,
            "OutColumns": self.out_columns,
            "KernelRows": self.kernel[0],
            "KernelColumns": self.kernel[1],
            "ColumnStep": self.groups * (1 if self.stacked else self.stride[1]),
            "RowStep": self.stride[0],
            "BlockBuffer": int(self.memory.block),
        }

    @property
    def product_parameters(self) -> dict[str, int]:
        """Parameters that modules with multipliers have besides."""
        above = self.stack_memory
        return {
            "StackColumns": self.kernel[1] if self.stacked else 1,
            "StackStride": self.stride[1],
            "StackCount": self.out_columns,
            "StackRows": self.kernel[0] if self.whole else 1,
            "BlockStack": int(above is not None and above.block),
            "RowDilation": self.dilation[0],
            "ColumnDilation": self.dilation[1],
            "Parts": self.parts,
            "Passes": self.passes,
        }

    @property
    def resources(self) -> Resources:
        """Estimate the cells."""
        words = self.buffer_rows * self.row_words
        address = max(1, (words - 1).bit_length())
        stack = (self.span[1] - 1) * self.channels * self.width if self.stacked else 0
        control = Resources(lut=60 + 12 * address, ff=50 + 8 * address)
        total = self.memory.resources + control + Resources(ff=stack + self.row_word_width)
        return total + self.stack_memory.resources if self.stack_memory else total


@dataclass(frozen=True)
class WindowWriter(Process):
    """Takes the image beat by beat; gives a row with the last beat of each that is stored."""

    window: Window

    @property
    def slots(self) -> int:
        """One a beat."""
        return self.window.rows * self.window.columns * self.window.groups

    def events(self) -> Events:
        """Take at every beat; a row that is stored needs room from its first beat on."""
        beats = self.window.columns * self.window.groups
        reserved: list[int] = []
        given: list[int] = []
        stored = 0
        for row in range(self.window.rows):
            before, stored = stored, stored + self.window.stores(row)
            reserved += [stored] * beats
            given += [*[before] * (beats - 1), stored]
        taken = range(1, self.slots + 1)
        give = Give(reserved, given, 1)
        return Events(range(self.slots), {"in": Take(taken, taken)}, {"rows": give})


@dataclass(frozen=True)
class WindowReader(Process):
    """Walks over the windows; gives the beats of one at its last slot."""

    window: Window
    beats: int
    latency: int

    @property
    def slots(self) -> int:
        """One a word."""
        return self.window.slots

    def events(self) -> Events:
        """Wait for rows where a row of windows starts; give at the end of each window."""
        window = self.window
        row = window.row_reads
        at: list[int] = []
        need: list[int] = []
        release: list[int] = []
        given: list[int] = []
        for index in range(window.out_rows * row):
            p, column = divmod(index, row)
            first, last = index * window.window_slots, (index + 1) * window.window_slots - 1
            freed = p * window.row_step
            wanted = freed + window.window_rows
            if column == 0 and last > first:
                at.append(first)
                need.append(wanted)
                release.append(freed)
                given.append(index * self.beats)
            if column == row - 1:
                freed = wanted if p == window.out_rows - 1 else freed + window.row_step
            at.append(last)
            need.append(wanted)
            release.append(freed)
            given.append((index + 1) * self.beats)
        return Events(at, {"rows": Take(need, release)}, {"out": Give(given, given, self.latency)})
