# SPDX-License-Identifier: Apache-2.0
"""The range that holds every value seen: nothing saturates on the calibration data."""

from __future__ import annotations

import numpy as np

from intaglio.quantize.ranges import Choose, Range


class MinMax:
    """The extremes of all values, and zero."""

    def __init__(self, _choose: Choose) -> None:
        self._range = Range(0.0, 0.0)

    def observe(self, values: np.ndarray) -> None:
        """Widen the range to the values of a batch."""
        self._range = self._range.union(Range.of(values))

    def range(self) -> Range:
        """Return the extremes."""
        return self._range
