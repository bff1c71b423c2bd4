# SPDX-License-Identifier: Apache-2.0
"""Few different integers for all weights of a layer: the best ones, found exactly.

Which of the integers of a type serve a set of numbers best, each number taking the nearest of them?
This is k-means on a line whose means are integers. A number between two neighbors of the set costs
the square of its distance to the nearer one, so the cost is a sum over pairs of neighbors, and the
best set of every size follows by dynamic programming over its members.

Source: for the program, H. Wang, M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one
dimension by dynamic programming", The R Journal 3(2), 2011; there the means are free, here they are
integers.
"""

from __future__ import annotations

import numpy as np

from intaglio.numerics.types import IntType


def codebook(values: np.ndarray, element: IntType, size: int) -> np.ndarray:
    """Return the integers of a type, at most `size`, of least squared distance to values.

    Exactness: no set of so many integers is nearer, but for rounding of float64.

    Shapes: result [at most size], rising.
    """
    levels = np.arange(element.min, element.max + 1)
    if size >= len(levels):
        return levels
    x = np.sort(values.astype(np.float64).ravel())
    sums = [np.concatenate([[0.0], np.cumsum(x**power)]) for power in (0, 1, 2)]

    def cost(low: np.ndarray, high: np.ndarray, center: np.ndarray) -> np.ndarray:
        """Add up (x - center)^2 over x in low..high, low among them and high not."""
        first, last = np.searchsorted(x, low), np.searchsorted(x, high)
        count, total, squares = (part[last] - part[first] for part in sums)
        return squares - 2.0 * center * total + center * center * count

    left, right = levels[:, None], levels[None, :]
    middle = (left + right) / 2.0
    between = cost(left, middle, left) + cost(middle, right, right)
    between[left >= right] = np.inf
    least = cost(np.full(len(levels), -np.inf), levels, levels)
    rest = cost(levels, np.full(len(levels), np.inf), levels)
    ends, steps = [least + rest], []
    for _ in range(size - 1):
        through = least[:, None] + between
        steps.append(through.argmin(axis=0))
        least = through.min(axis=0)
        ends.append(least + rest)
    count = int(np.argmin([end.min() for end in ends]))
    chosen = [int(np.argmin(ends[count]))]
    for step in reversed(steps[:count]):
        chosen.append(int(step[chosen[-1]]))
    return levels[chosen[::-1]]
