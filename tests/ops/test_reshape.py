# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.reshape import Reshape
from tests.ops import reference

S8 = IntType.parse("s8")


def test_nothing_moves() -> None:
    x = np.arange(24).reshape(2, 3, 2, 2)
    found = reference.evaluated(Reshape((4, 3)), [TensorType((3, 2, 2), S8)], x)
    assert found.shape == (2, 4, 3)
    assert found.ravel().tolist() == list(range(24))


def test_the_new_shape_must_hold_all_elements() -> None:
    with pytest.raises(ModelError, match=r"^shape must hold 12 elements, not \[5, 2\]$"):
        Reshape((5, 2)).infer(TensorType((3, 2, 2), S8))


def test_its_attributes_round_trip() -> None:
    assert Reshape.from_attributes(Reshape((4, 3)).attributes()) == Reshape((4, 3))
