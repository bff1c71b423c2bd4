# SPDX-License-Identifier: Apache-2.0
"""What the pools have in common."""

from __future__ import annotations

import pytest

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pool import Pool
from intaglio.ops.sum_pool import SumPool

S8 = IntType.parse("s8")


@pytest.mark.parametrize("kind", [MaxPool, SumPool])
def test_padding_as_large_as_the_window_is_refused(kind: type[Pool]) -> None:
    with pytest.raises(
        ModelError, match=r"^padding must be smaller than the 2x3 window, not \(2, 0, 0, 0\)$"
    ):
        kind((2, 3), (1, 1), (2, 0, 0, 0)).infer(TensorType((5, 5, 1), S8))


def test_a_window_must_fit_and_move() -> None:
    image = TensorType((3, 3, 1), FLOAT32)
    with pytest.raises(ModelError, match=r"^a 4x1 window must fit the image, 3x3$"):
        AveragePool((4, 1), (1, 1)).infer(image)
    with pytest.raises(ModelError, match=r"^kernel and stride must be at least 1 and padding 0"):
        AveragePool((2, 2), (0, 1)).infer(image)
    with pytest.raises(ModelError, match=r"^a window must slide over an \(H, W, C\) image"):
        AveragePool((2, 2), (1, 1)).infer(TensorType((9,), FLOAT32))


def test_pools_multiply_nothing() -> None:
    assert MaxPool((2, 2), (2, 2)).loops(TensorType((4, 4, 3), S8)).macs == 0
    assert MaxPool((2, 2), (2, 2)).loops(TensorType((4, 4, 3), S8)).iterations == 48
