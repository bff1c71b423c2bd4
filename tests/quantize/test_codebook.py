# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.numerics.types import IntType
from intaglio.quantize.codebook import codebook


def cost(values: np.ndarray, levels: np.ndarray) -> float:
    return float(((values[:, None] - levels) ** 2).min(axis=1).sum())


@given(
    st.lists(st.floats(-6, 6), min_size=1, max_size=12),
    st.sampled_from(["s2", "s3n", "u3"]),
    st.integers(1, 4),
)
def test_no_other_choice_of_integers_is_nearer(numbers: list[float], text: str, size: int) -> None:
    values, element = np.array(numbers), IntType.parse(text)
    found = codebook(values, element, size)
    assert element.contains(found)
    assert len(found) <= size
    assert np.all(np.diff(found) > 0)
    every = range(element.min, element.max + 1)
    least = min(cost(values, np.array(c)) for c in combinations(every, min(size, len(every))))
    assert cost(values, found) == pytest.approx(least, abs=1e-9)


def test_a_few_heaps_are_found() -> None:
    values = np.array([-100.2, -99.8, 3.0, 3.1, 2.9, 60.0])
    assert codebook(values, IntType.parse("s8n"), 3).tolist() == [-100, 3, 60]


def test_nothing_but_zeros_needs_one() -> None:
    assert codebook(np.zeros(5), IntType.parse("s8n"), 16).tolist() == [0]
