# SPDX-License-Identifier: Apache-2.0
"""How a layer is laid on the array, and where each operand passes its edges, in every dataflow.

A layer is a product of matrices with three axes: pixels (windows), filters and taps (words of a
window). A dataflow says which of them lies along the rows of the array, which along its columns,
and which passes in time; the rest follows. The operand without the axis of time stays in the array:
it is loaded first, or, where it is the output, unloaded last. The other two stream, skewed by a
line for each row or column. A fold is what the array holds at a time; a line is one of its cycles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from intaglio.scalesim.topology import Layer

PIXELS, FILTERS, TAPS = "pixels", "filters", "taps"
#: The axes of each operand.
IFMAP = frozenset({PIXELS, TAPS})
FILTER = frozenset({FILTERS, TAPS})
OFMAP = frozenset({PIXELS, FILTERS})


class Dataflow(NamedTuple):
    """Which axis lies along the rows, which along the columns, and which passes in time."""

    rows: str
    columns: str
    time: str


DATAFLOWS: Mapping[str, Dataflow] = {
    "os": Dataflow(rows=PIXELS, columns=FILTERS, time=TAPS),
    "ws": Dataflow(rows=TAPS, columns=FILTERS, time=PIXELS),
    "is": Dataflow(rows=TAPS, columns=PIXELS, time=FILTERS),
}


class Stream(NamedTuple):
    """Where an operand's words pass an edge of the array, line by line, fold by fold.

    A fold's words are a grid: `height` of them one after the other, which are time or, `stays`,
    the rows of the array from the last to the first; and side by side the rows of the array or,
    `across`, its columns. `skewed` grids are a line later for each place to the side. The first
    line is `lead`, and later by the rows that an edge fold lacks where the operand stays.

    Only numbers, as compiled loops take it; folds go row folds first, then column folds.
    """

    rows: int
    columns: int
    row_extent: int
    column_extent: int
    time: int
    row_folds: int
    column_folds: int
    lines: int
    lead: int
    stays: int
    across: int
    skewed: int
    width: int

    @property
    def first_line(self) -> int:
        """Line of the first word."""
        return self.lead + (self.rows - min(self.rows, self.row_extent)) * self.stays

    @property
    def last_line(self) -> int:
        """Line of the last word."""
        last_rows = self.row_extent - (self.row_folds - 1) * self.rows
        last_columns = self.column_extent - (self.column_folds - 1) * self.columns
        start = self.lead + (self.rows - last_rows) * self.stays
        height = last_rows if self.stays else self.time
        width = last_columns if self.across else last_rows
        folds = self.row_folds * self.column_folds
        return (folds - 1) * self.lines + start + height - 1 + (width - 1) * self.skewed

    @property
    def words(self) -> int:
        """Words that pass in all folds, with those that lie outside of the image."""
        if self.stays:
            return self.row_extent * self.column_extent
        if self.across:
            return self.time * self.column_extent * self.row_folds
        return self.time * self.row_extent * self.column_folds


@dataclass(frozen=True)
class Placement:
    """A layer on an array of `rows` times `columns`, in a dataflow.

    Its extents along rows and columns are cut into folds as large as the array.
    """

    dataflow: Dataflow
    rows: int
    columns: int
    row_extent: int
    column_extent: int
    time: int

    @classmethod
    def of(cls, layer: Layer, dataflow: str, rows: int, columns: int, *, sparse: bool) -> Self:
        """Lay a layer on an array; a sparse one passes only the taps it keeps."""
        axes = DATAFLOWS[dataflow]
        taps = layer.kept_taps if sparse else layer.taps
        sizes = {PIXELS: layer.pixels, FILTERS: layer.filters, TAPS: taps}
        return cls(axes, rows, columns, sizes[axes.rows], sizes[axes.columns], sizes[axes.time])

    @cached_property
    def row_folds(self) -> int:
        """Folds along the rows."""
        return -(-self.row_extent // self.rows)

    @cached_property
    def column_folds(self) -> int:
        """Folds along the columns."""
        return -(-self.column_extent // self.columns)

    @property
    def folds(self) -> int:
        """Folds in all."""
        return self.row_folds * self.column_folds

    @property
    def loaded(self) -> bool:
        """Whether the operand that stays is an input, which is loaded row by row."""
        return self.dataflow.time in OFMAP

    @property
    def load(self) -> int:
        """Lines of a fold before its inputs stream."""
        return self.rows if self.loaded else 0

    @property
    def lines(self) -> int:
        """Lines of a fold, edge folds alike: load, stream, and empty the array."""
        return self.load + self.time + self.rows + self.columns - 2

    @cached_property
    def streams(self) -> Mapping[frozenset[str], Stream]:
        """Where each operand passes."""
        return {operand: self._stream(operand) for operand in (IFMAP, FILTER, OFMAP)}

    def _stream(self, operand: frozenset[str]) -> Stream:
        stays, across = self.dataflow.time not in operand, self.dataflow.rows not in operand
        if operand == OFMAP:
            # the first sum is complete when it has come down all rows, or after the last product
            lead = self.time - 1 if stays else self.load + self.rows - 1
        else:
            lead = 0 if stays else self.load
        return Stream(
            *(self.rows, self.columns, self.row_extent, self.column_extent, self.time),
            *(self.row_folds, self.column_folds, self.lines, lead),
            *(int(stays), int(stays or across), int(not stays or operand == OFMAP)),
            self.columns if stays or across else self.rows,
        )
