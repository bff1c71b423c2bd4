# SPDX-License-Identifier: Apache-2.0
"""The order of weights in their memory, and how results leave; its RTL is proven elsewhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.unit import Fold, divisors
from intaglio.hw.window_mac import output_lanes, weight_fields


@st.composite
def folded_weights(draw: st.DrawFn) -> tuple[np.ndarray, Fold]:
    k, r, s, c = (draw(st.integers(1, 6)) for _ in range(4))
    weight = np.arange(k * r * s * c).reshape(k, r, s, c)
    whole = draw(st.booleans())
    columns = s if whole else draw(st.sampled_from([1, s]))
    lanes_in, lanes_out = (draw(st.sampled_from(divisors(n))) for n in (c, k))
    return weight, Fold(lanes_in, columns, lanes_out, whole=whole)


@given(folded_weights())
def test_weights_lie_in_the_order_in_which_slots_read_them(case: tuple[np.ndarray, Fold]) -> None:
    weight, fold = case
    k, r, s, c = weight.shape
    rows = r if fold.whole else 1
    expected = [
        [
            weight[o * fold.lanes_out + lane, p * rows + row, q * fold.columns + column, g + i]
            for lane in range(fold.lanes_out)
            for row in range(rows)
            for column in range(fold.columns)
            for i in range(fold.lanes_in)
        ]
        for o in range(k // fold.lanes_out)
        for p in range(r // rows)
        for q in range(s // fold.columns)
        for g in range(0, c, fold.lanes_in)
    ]
    assert weight_fields(weight, fold).tolist() == expected


@given(st.integers(1, 60), st.integers(1, 60))
def test_results_leave_before_the_next_come_on_as_few_lanes_as_that_takes(
    lanes_out: int, window_slots: int
) -> None:
    lanes = output_lanes(lanes_out, window_slots)
    assert lanes_out % lanes == 0
    assert lanes_out // lanes <= window_slots
    assert all(lanes_out // fewer > window_slots for fewer in divisors(lanes_out) if fewer < lanes)
