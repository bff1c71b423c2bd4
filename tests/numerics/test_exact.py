# SPDX-License-Identifier: Apache-2.0
"""The guard of the floating-point carrier, at its edges and just past them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.numerics.exact import (
    FLOAT32_LIMIT,
    FLOAT64_LIMIT,
    INT64_LIMIT,
    carrier,
    magnitude,
    matmul,
)


def product(left: np.ndarray, right: np.ndarray) -> list[list[int]]:
    """Multiply with Python's integers, which have no width."""
    rows, columns = left.tolist(), right.T.tolist()
    return [[sum(a * b for a, b in zip(r, c, strict=True)) for c in columns] for r in rows]


@st.composite
def matrices(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    m, k, n = (draw(st.integers(1, 5)) for _ in range(3))
    bits = draw(st.integers(1, 28))
    number = st.integers(-(1 << bits), 1 << bits)
    left = draw(st.lists(number, min_size=m * k, max_size=m * k))
    right = draw(st.lists(number, min_size=k * n, max_size=k * n))
    return np.array(left).reshape(m, k), np.array(right).reshape(k, n)


@given(matrices())
def test_the_product_equals_python_integers(operands: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = operands
    assert matmul(left, right).tolist() == product(left, right)


@given(matrices())
def test_the_bound_holds_for_every_order_of_summation(
    operands: tuple[np.ndarray, np.ndarray],
) -> None:
    left, right = operands
    assert magnitude(left, right) >= max(map(max, product(np.abs(left), np.abs(right))))


@pytest.mark.parametrize(
    ("bound", "kind"),
    [
        (FLOAT32_LIMIT - 1, np.float32),
        (FLOAT32_LIMIT, np.float32),
        (FLOAT32_LIMIT + 1, np.float64),
        (FLOAT64_LIMIT - 1, np.float64),
        (FLOAT64_LIMIT, np.float64),
        (FLOAT64_LIMIT + 1, np.int64),
        (INT64_LIMIT - 1, np.int64),
    ],
)
def test_the_carrier_changes_just_past_each_edge(bound: int, kind: type) -> None:
    assert carrier(bound) == np.dtype(kind)


@pytest.mark.parametrize("limit", [FLOAT32_LIMIT, FLOAT64_LIMIT])
@pytest.mark.parametrize("past", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("parts", [1, 2, 7])
def test_sums_at_the_edges_are_exact(limit: int, past: int, sign: int, parts: int) -> None:
    """One row of ones picks a column up to limit + past, term by term, in each order."""
    total = limit + past
    terms = [total // parts] * parts
    terms[0] += total - sum(terms)
    left = np.full((1, parts), sign)
    for order in (terms, terms[::-1]):
        right = np.array(order).reshape(parts, 1)
        assert magnitude(left, right) == total
        assert matmul(left, right).tolist() == [[sign * total]]


@pytest.mark.parametrize("limit", [FLOAT32_LIMIT, FLOAT64_LIMIT])
@given(data=st.data())
def test_random_sums_around_the_edges_are_exact(limit: int, data: st.DataObject) -> None:
    total = limit + data.draw(st.integers(-20, 20))
    cuts = sorted(data.draw(st.lists(st.integers(0, total), min_size=1, max_size=6)))
    terms = np.diff([0, *cuts, total])
    signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=len(terms), max_size=len(terms)))
    left, right = np.array([signs]), terms.reshape(-1, 1)
    assert matmul(left, right).tolist() == product(left, right)


@pytest.mark.parametrize(
    ("limit", "narrow"), [(FLOAT32_LIMIT, np.float32), (FLOAT64_LIMIT, np.float64)]
)
def test_past_the_edge_the_narrower_carrier_would_be_wrong(
    limit: int, narrow: type[np.floating]
) -> None:
    left, right = np.ones((1, 2), dtype=np.int64), np.array([[limit], [1]])
    assert matmul(left, right).tolist() == [[limit + 1]]
    assert carrier(limit + 1) != np.dtype(narrow)
    careless = np.matmul(left.astype(narrow), right.astype(narrow))
    assert int(careless[0, 0]) == limit, "the guard would protect from nothing"


def test_sums_beyond_int64_are_refused_and_not_wrapped() -> None:
    left = np.array([[1 << 32, 1 << 32]])
    with pytest.raises(ModelError, match=r"^an accumulator must stay below 2\^63, not reach"):
        matmul(left, left.T)
    # the column sum itself would wrap to zero in int64
    column = np.full((4, 1), 1 << 62)
    with pytest.raises(ModelError, match=r"^an accumulator must stay below 2\^63, not reach"):
        matmul(np.ones((1, 4), dtype=np.int64), column)


def test_empty_operands_have_no_magnitude() -> None:
    assert magnitude(np.empty((0, 3), dtype=np.int64), np.ones((3, 2), dtype=np.int64)) == 0
    assert matmul(np.empty((0, 3), dtype=np.int64), np.ones((3, 2), dtype=np.int64)).shape == (0, 2)


def test_batches_multiply_frame_by_frame() -> None:
    left = np.arange(24).reshape(2, 3, 4) - 12
    right = np.arange(8).reshape(4, 2) - 3
    assert np.array_equal(matmul(left, right), np.stack([product(m, right) for m in left]))
