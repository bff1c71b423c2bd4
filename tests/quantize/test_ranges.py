# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from intaglio.errors import QuantizationError
from intaglio.quantize.ranges import Range


def test_extremes_always_contain_zero() -> None:
    assert Range.of(np.array([1.0, 3.0])) == Range(0.0, 3.0)
    assert Range.of(np.array([-2.0, -1.0])) == Range(-2.0, 0.0)
    assert Range.of(np.array([[-2.0, 5.0]])) == Range(-2.0, 5.0)


def test_a_union_contains_both() -> None:
    assert Range(-1.0, 2.0).union(Range(-3.0, 1.0)) == Range(-3.0, 2.0)
    assert Range(-3.0, 2.0).magnitude == 3.0
    assert Range(-3.0, 2.0).scaled(2.0) == Range(-6.0, 4.0)


@pytest.mark.parametrize("values", [[math.nan, 1.0], [1.0, math.nan], [math.inf, 0.0]])
def test_a_range_must_be_finite(values: list[float]) -> None:
    with pytest.raises(QuantizationError, match=r"^a range must be finite, not "):
        Range.of(np.array(values))


def test_a_range_must_contain_zero() -> None:
    with pytest.raises(QuantizationError, match=r"^a range must contain zero, not 1\.0\.\.2\.0$"):
        Range(1.0, 2.0)
