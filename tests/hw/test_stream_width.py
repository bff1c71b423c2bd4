# SPDX-License-Identifier: Apache-2.0
"""From one number of lanes to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.hw.stream_width import regroup, stream_width
from intaglio.numerics.types import IntType

U5 = IntType(5, signed=False)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4))
def test_elements_go_through_one_unit_or_two_and_none_is_lost(
    have: int, want: int, times: int
) -> None:
    elements = have * want * times
    units = regroup(U5, elements, have, want)
    assert len(units) == (0 if have == want else 1 if not (have % want and want % have) else 2)
    lanes = have
    for unit in units:
        source, out = unit.inputs["in"], unit.outputs["out"]
        assert source.lanes == lanes
        assert source.lanes * source.beats == out.lanes * out.beats == elements
        assert unit.interval == max(source.beats, out.beats) == unit.cycles.interval
        lanes = out.lanes
    assert lanes == want


@pytest.mark.parametrize(("have", "want", "taken"), [(4, 1, 3), (1, 4, 0)])
def test_a_wide_beat_is_taken_once_all_of_it_has_left(have: int, want: int, taken: int) -> None:
    unit = stream_width(U5, 24, have, want)
    (frame,) = unit.timing(1).frames
    assert unit.interval == 24
    assert frame.first_in == taken
    assert unit.cycles.latency == frame.last_out - taken
