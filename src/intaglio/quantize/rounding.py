# SPDX-License-Identifier: Apache-2.0
"""A layer's weights and bias become codes and a bias that fits them, with data or without.

To add a way to round by data: its file, its test, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from intaglio.quantize.adaround import adaround
from intaglio.quantize.gptq import gptq
from intaglio.quantize.sample import Moments
from intaglio.quantize.weights import Grid

#: Chooses codes of a target [K, n], given the mean products [n, n] of what the layer reads.
Rounder = Callable[[np.ndarray, np.ndarray, Grid], np.ndarray]

ROUNDERS: Mapping[str, Rounder] = {"adaround": adaround, "gptq": gptq}
#: What is added to the diagonal of mean products, as a part of its mean, so that few frames do not
#: decide too much: of 0.001, 0.01 and 0.1 the last was best for LeNet-5 on MNIST at 2 to 4 bits.
DAMPING = 0.1
#: The same as a part of the square of the mean, for inputs that hardly change: products are summed
#: in float32, and centered afterwards.
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Rounded:
    """Codes as the weights' shape, and a real bias [K]."""

    codes: np.ndarray
    bias: np.ndarray


def rounded(
    weight: np.ndarray, bias: np.ndarray, grid: Grid, rounding: str, moments: Moments | None
) -> Rounded:
    """Choose a layer's codes; with centered moments, and the bias that takes the mean error out.

    Shapes: weight [K, ...], bias [K].
    """
    if moments is None:
        return Rounded(grid.nearest(grid.steps(weight)), bias)
    groups = len(moments.gram)
    each = len(weight) // groups
    rows = weight.reshape(groups, each, -1).astype(np.float64)
    codes, mended = [], []
    for g in range(groups):
        part = grid.rows(slice(g * each, (g + 1) * each))
        if rounding in ROUNDERS:
            gram = _damped(moments.gram[g], moments.whole[g])
            target = rows[g] + _repair(rows[g], moments, g, gram)
            found = ROUNDERS[rounding](target, gram, part)
        else:
            found = part.nearest(part.steps(rows[g]))
        codes.append(found)
        real = found * np.broadcast_to(part.scales, each).reshape(-1, 1)
        mended.append(rows[g] @ moments.real[g] - real @ moments.whole[g])
    shift = np.concatenate(mended) if moments.centered else 0.0
    return Rounded(np.concatenate(codes).reshape(weight.shape), bias + shift)


def _damped(gram: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return mean products that are positive definite, whatever was read."""
    more = DAMPING * float(np.diag(gram).mean()) + ROUNDING * float((means * means).mean())
    return gram + (more if more > 0.0 else 1.0) * np.eye(len(gram))


def _repair(rows: np.ndarray, moments: Moments, g: int, gram: np.ndarray) -> np.ndarray:
    """Return the change of weights that makes results of the integers nearest those of floats."""
    return np.linalg.solve(gram, ((moments.cross[g] - moments.gram[g]).T @ rows.T)).T
