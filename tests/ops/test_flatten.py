# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.flatten import Flatten
from tests.ops import reference

S8 = IntType.parse("s8")


def test_a_frame_becomes_a_vector_in_channels_last_order() -> None:
    x = np.arange(24).reshape(2, 3, 2, 2)
    image = TensorType((3, 2, 2), S8)
    assert Flatten().infer(image) == TensorType((12,), S8)
    assert reference.evaluated(Flatten(), [image], x).ravel().tolist() == list(range(24))
