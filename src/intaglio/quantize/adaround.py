# SPDX-License-Identifier: Apache-2.0
"""Of the two codes next to each weight, the ones that change a layer's results least together.

The change is a quadratic, (q - w) H (q - w) with H the mean products of what the layer reads. From
the nearest codes on, one weight after the other takes the better of its two, for as long as any
changes: each step lowers the quadratic, so it ends.

Source: M. Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", ICML 2020:
the quadratic of section 3 itself, which is relaxed and descended by gradients there.
"""

from __future__ import annotations

import numpy as np

from intaglio.quantize.weights import Grid

#: Rounds over all weights; what still changes after so many changes little.
ROUNDS = 30


def adaround(target: np.ndarray, gram: np.ndarray, grid: Grid) -> np.ndarray:
    """Return codes of weights whose results are near those of a target.

    Shapes: target [K, n], gram [n, n], positive definite; result [K, n].
    """
    steps = grid.steps(target)
    codes = grid.nearest(steps)
    others = grid.next(codes, steps > codes)
    slope = (codes - steps) @ gram
    for _ in range(ROUNDS):
        changed = False
        for j in range(codes.shape[1]):
            change = others[:, j] - codes[:, j]
            better = change * (2.0 * slope[:, j] + change * gram[j, j]) < -1e-12 * gram[j, j]
            if better.any():
                changed = True
                slope[better] += np.outer(change[better], gram[j])
                swapped = codes[better, j]
                codes[better, j] = others[better, j]
                others[better, j] = swapped
        if not changed:
            break
    return codes
