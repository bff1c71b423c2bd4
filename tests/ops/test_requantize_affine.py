# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from tests.ops import reference


@given(
    width=st.integers(2, 40),
    signed=st.booleans(),
    factor=reference.elements,
    element=reference.elements,
    channels=st.integers(1, 3),
    ties=st.sampled_from(Ties),
    data=st.data(),
)
def test_it_equals_the_exact_rational(
    width: int,
    signed: bool,
    factor: IntType,
    element: IntType,
    channels: int,
    ties: Ties,
    data: st.DataObject,
) -> None:
    kind, wide = IntType(width, signed), IntType(44, signed=True)
    x = data.draw(reference.integers(kind, (2, 3, channels)))
    counts = [data.draw(st.sampled_from([1, channels])) for _ in range(2)]
    multiplier = data.draw(reference.integers(factor, (counts[0],)))
    addend = data.draw(reference.integers(wide, (counts[1],)))
    shift = data.draw(st.sampled_from([0, 1, 2, 3, 20, 50]))
    zero_point = data.draw(st.integers(element.min, element.max))
    op = RequantizeAffine(shift, zero_point, element, ties)
    types = reference.types((x, kind), (multiplier, factor), (addend, wide))
    found = reference.evaluated(op, types, x, multiplier, addend)
    for index in np.ndindex(x.shape):
        m, a = int(multiplier[index[-1] % counts[0]]), int(addend[index[-1] % counts[1]])
        exact = Fraction(int(x[index]) * m + a, 1 << shift)
        level = math.floor(exact)
        kept = {Ties.UP: True, Ties.EVEN: level % 2 == 0, Ties.ODD: level % 2 == 1}
        code = zero_point + level - (exact == level and not kept[ties])
        assert found[index] == min(max(code, element.min), element.max)


def test_numbers_must_be_one_or_one_a_channel() -> None:
    op = RequantizeAffine(3, 0, IntType.parse("u8"))
    x, one, two = (TensorType(s, IntType.parse("s9")) for s in ((4, 3), (1,), (2,)))
    with pytest.raises(ModelError, match=r"addend must be \[1\] or \[3\], not s9\[2\]"):
        op.infer(x, one, two)
    with pytest.raises(ModelError, match=r"multiplier must be \[1\] or \[3\], not s9\[2\]"):
        op.infer(x, two, one)
