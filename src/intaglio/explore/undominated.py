# SPDX-License-Identifier: Apache-2.0
"""Which of many sorted rows no other is as good as: the inner loop of `partial`, compiled."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def undominated(spent: np.ndarray) -> np.ndarray:
    """Return the rows that no row before them is as good as in every column.

    Shapes: spent [designs, kinds], rows in rising order, so that none behind can be better.
    """
    kept = np.empty(len(spent), dtype=np.int64)
    count = 0
    for row in range(len(spent)):
        dominated = False
        for index in range(count):
            dominated = True
            for kind in range(spent.shape[1]):
                if spent[kept[index], kind] > spent[row, kind]:
                    dominated = False
                    break
            if dominated:
                break
        if not dominated:
            kept[count] = row
            count += 1
    return kept[:count]
