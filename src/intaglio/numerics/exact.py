# SPDX-License-Identifier: Apache-2.0
"""Integer matrix products at the speed of floating-point BLAS, exact by a guard.

A float32 holds every integer up to 2^24, a float64 up to 2^53. While no partial sum can leave that
range, no addition rounds, in any order and with or without fused multiply-add.
"""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError

FLOAT32_LIMIT = 1 << 24
FLOAT64_LIMIT = 1 << 53
INT64_LIMIT = 1 << 63


def carrier(magnitude: int) -> np.dtype[np.floating] | np.dtype[np.signedinteger]:
    """Return the fastest machine type that is exact for sums of at most this magnitude.

    Args:
        magnitude: bound on the sum of the absolute values of all terms of one result.

    Raises:
        ModelError: the bound leaves int64.
    """
    if magnitude <= FLOAT32_LIMIT:
        return np.dtype(np.float32)
    if magnitude <= FLOAT64_LIMIT:
        return np.dtype(np.float64)
    if magnitude < INT64_LIMIT:
        return np.dtype(np.int64)
    raise ModelError(f"an accumulator must stay below 2^63, not reach {magnitude}")


def magnitude(left: np.ndarray, right: np.ndarray) -> int:
    """Bound the sum of absolute products of `left @ right` from the operands themselves.

    The largest element of `left` times the largest column sum of |right|.
    """
    if left.size == 0 or right.size == 0:
        return 0
    largest = _largest(left)
    if _largest(right) * right.shape[-2] >= INT64_LIMIT:  # column sums might wrap: bound them too
        return largest * _largest(right) * right.shape[-2]
    columns = np.abs(right.astype(np.int64)).sum(axis=-2, dtype=np.int64)
    return largest * int(columns.max())


def _largest(values: np.ndarray) -> int:
    return max(abs(int(values.min())), abs(int(values.max())))


def matmul(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply integer matrices exactly.

    Shapes: left [..., M, K], right [K, N] or [..., K, N]; result [..., M, N] int64.
    Exactness: equal to arbitrary-precision integers.

    Raises:
        ModelError: a sum could leave int64.
    """
    kind = carrier(magnitude(left, right))
    return np.matmul(left.astype(kind), right.astype(kind)).astype(np.int64)
