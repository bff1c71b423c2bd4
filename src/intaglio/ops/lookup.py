# SPDX-License-Identifier: Apache-2.0
"""Any function of one integer, by a table of its results.

    y = table[x - lowest]

Shapes: x any, table [codes of x's type]; y as x, of the table's element. The table has an entry for
each code of x's type, from the lowest code up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.lookup import lookup
from intaglio.hw.unit import Fold, StreamOperator, Unit, lane_folds
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.types import TensorType

#: What a table may be asked for; one more bit would double every lane's memory.
MAX_WIDTH = 12


@dataclass(frozen=True)
class Lookup(StreamOperator):
    """Function by table; `lowest` is the lowest code of x's type, where the table starts."""

    name: ClassVar[str] = "lookup"
    operands: ClassVar[tuple[str, ...]] = ("x", "table")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"table"})

    lowest: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return the same shape, of the table's element."""
        x, table = types
        element = x.integer
        if element.width > MAX_WIDTH:
            raise ModelError(f"x must have at most {MAX_WIDTH} bits, not {x}: requantize it first")
        if self.lowest != element.min:
            raise ModelError(f"lowest must be {element.min}, as of {element}, not {self.lowest}")
        codes = element.max - element.min + 1
        if table.shape != (codes,):
            raise ModelError(f"table must be [{codes}] for {element}, not {table}")
        return TensorType(x.shape, table.integer)

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Look up a batch."""
        x, table = arrays
        return table[x.astype(np.int64) - self.lowest]

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Touch each element once."""
        return elementwise(types[0].shape)

    # --- 4 unit --------------------------------------------------------------------------------

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        """Any number of channels side by side."""
        return lane_folds(types[0].channels)

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        """Read one memory a lane."""
        return lookup(types[0], constants["table"], self.infer(*types), fold.lanes_in)
