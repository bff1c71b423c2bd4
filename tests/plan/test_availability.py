# SPDX-License-Identifier: Apache-2.0
"""Availability traces: counts a tick, read, checked, and put on slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import IntaglioError
from intaglio.plan.availability import Availability, read_availability


def write(folder: Path, document: Any) -> Path:
    path = folder / "trace.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_trace_says_at_which_ticks_so_many_machines_are_there(tmp_path: Path) -> None:
    path = write(tmp_path, {"metadata": {"gap_seconds": 195}, "data": [0, 1, 16, 4]})
    assert read_availability(path).there.tolist() == [False, True, True, True]
    four = read_availability(path, machines=4)
    assert four.there.tolist() == [False, False, True, True]
    assert four.seconds == 780


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 9), st.integers(1, 20))
def test_a_slot_has_a_machine_if_all_its_seconds_have(
    there: list[bool], gap: int, slot: int
) -> None:
    trace = Availability("t", gap, np.array(there))
    edges = np.arange(0, 100, slot)
    second = [there[s // gap] if s // gap < len(there) else False for s in range(200)]
    expected = [all(second[a : a + slot]) for a in edges[:-1].tolist()]
    assert trace.between(edges).tolist() == expected


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "must be JSON with metadata.gap_seconds and data; it is not"),
        ({"metadata": {"gap_seconds": 0}, "data": [1]}, "gap_seconds must be from 1 to 86400"),
        ({"metadata": {"gap_seconds": 9}, "data": []}, "data must be a list of counts"),
        ({"metadata": {"gap_seconds": 9}, "data": [1, -2]}, "tick 2 must be a count .* not -2"),
        ({"metadata": {"gap_seconds": 9}, "data": ["x"]}, "tick 1 must be a count .* not 'x'"),
    ],
)
def test_no_trace_is_refused(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(IntaglioError, match=said):
        read_availability(write(tmp_path, document))
    with pytest.raises(IntaglioError, match="there is no such file"):
        read_availability(tmp_path / "none.json")
