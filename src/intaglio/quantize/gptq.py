# SPDX-License-Identifier: Apache-2.0
"""Round one weight after the other, and let those that are left make good for its error.

With H the mean products of what a layer reads, and U the upper Cholesky factor of H^-1, weight j of
an output becomes code q, and the weights behind it change by (q - w_j) / U_jj * U_j: the least
change of the results that is possible with w_j = q. Weights of strong inputs come first.

Source: E. Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", ICLR 2023, sections 3 and 4; there for rows in blocks, here for all rows at once.
"""

from __future__ import annotations

import numpy as np

from intaglio.quantize.weights import Grid


def gptq(target: np.ndarray, gram: np.ndarray, grid: Grid) -> np.ndarray:
    """Return codes of weights whose results are near those of a target.

    Shapes: target [K, n], gram [n, n], positive definite; result [K, n].
    """
    order = np.argsort(-np.diag(gram), kind="stable")
    left = target[:, order].astype(np.float64)
    inverse = np.linalg.inv(gram[np.ix_(order, order)])
    upper = np.linalg.cholesky((inverse + inverse.T) / 2).T
    scales = np.broadcast_to(grid.scales, len(target))
    codes = np.empty(left.shape, dtype=np.int64)
    for j in range(left.shape[1]):
        codes[:, j] = grid.nearest(grid.steps(left[:, j : j + 1]))[:, 0]
        error = (left[:, j] - codes[:, j] * scales) / upper[j, j]
        left[:, j + 1 :] -= np.outer(error, upper[j, j + 1 :])
    found = np.empty_like(codes)
    found[:, order] = codes
    return found
