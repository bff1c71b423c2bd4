# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.batch_norm import BatchNorm

S8 = IntType.parse("s8")


def test_batch_norm_scales_and_offsets_each_channel() -> None:
    x = np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype=np.float32)
    found = BatchNorm().evaluate(x, np.float32([2, -1]), np.float32([0.5, 0]))
    assert found.tolist() == [[[2.5, -2.0], [6.5, -4.0]]]
    types = [TensorType((2, 2), FLOAT32), TensorType((2,), FLOAT32), TensorType((2,), FLOAT32)]
    assert BatchNorm().infer(*types) == types[0]


def test_batch_norm_refuses_integers_and_other_shapes() -> None:
    real = TensorType((2,), FLOAT32)
    with pytest.raises(ModelError, match=r"^batch_norm must be given floats, not s8\[2\]: fold it"):
        BatchNorm().infer(TensorType((2,), S8), real, real)
    with pytest.raises(
        ModelError, match=r"^scale and offset must be \[3\], not f32\[2\], f32\[2\]$"
    ):
        BatchNorm().infer(TensorType((4, 3), FLOAT32), real, real)
