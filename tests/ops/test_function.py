# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import ModelError
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.functions import apply
from intaglio.numerics.types import IntType
from intaglio.ops.function import Function


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_element_is_replaced_by_its_value(dtype: type[np.floating]) -> None:
    x = np.linspace(-8, 8, 24, dtype=dtype).reshape(2, 3, 4)
    found = Function("silu").evaluate(x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, apply("silu", (), x).astype(dtype))
    assert Function("silu").infer(TensorType((3, 4), FLOAT32)) == TensorType((3, 4), FLOAT32)


def test_what_leaves_float32_is_infinite_and_nothing_warns() -> None:
    assert Function("exp").evaluate(np.float32([[500]])).tolist() == [[np.inf]]


def test_its_attributes_round_trip() -> None:
    op = Function("leaky_relu", (0.1,))
    assert Function.from_attributes(op.attributes()) == op


def test_integers_and_unknown_functions_are_refused() -> None:
    with pytest.raises(
        ModelError, match=r"^tanh must be given floats, not s8\[2\]: quantize makes a lookup$"
    ):
        Function("tanh").infer(TensorType((2,), IntType.parse("s8")))
    with pytest.raises(ModelError, match=r"^a function must be one of .*, not 'tanhh'$"):
        Function("tanhh")
    with pytest.raises(ModelError, match=r"^elu must have parameters alpha, not \[\]$"):
        Function.from_attributes({"kind": "elu"})
