# SPDX-License-Identifier: Apache-2.0
"""Sums that are gathered in one half and drained from the other, against two arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.vectors import drive, lanes_of, word_of

BLOCKS = ("accumulators", "delay", "lane_rotator", "sliced_ram")
LATENCY, AGAIN, PHASES, PHASE, IDLE = 3, 4, 40, 60, 6
REPLACE, ADD, MAXIMUM = range(3)


@pytest.mark.parametrize(
    ("lanes", "width", "rows", "turned"),
    [(1, 24, 8, 0), (4, 20, 16, 0), (4, 24, 16, 1), (5, 18, 32, 1)],
)
def test_sums_are_gathered_turned_drained_and_put_back(
    lanes: int, width: int, rows: int, turned: int, tmp_path: Path, runtime: Path
) -> None:
    ports, expected = _followed(lanes, width, rows, turned)
    found = drive(
        "accumulators",
        BLOCKS,
        {"Lanes": lanes, "Width": width, "Rows": rows, "Turned": turned},
        ports,
        ("drain_o", lanes * width),
        tmp_path,
        runtime,
    )
    assert len(expected) > PHASES * PHASE // 4
    for cycle, lane, value in expected:
        given = lanes_of(found[cycle + LATENCY - 1], lanes, width, signed=True)[lane]
        assert given == value, (cycle, lane)


def _followed(
    lanes: int, width: int, rows: int, turned: int
) -> tuple[dict[str, tuple[int, Any]], list[tuple[int, int, int]]]:
    """Return what ports are given, and for each cycle and lane what is to be drained."""
    random = np.random.default_rng(lanes + turned)
    cycles = PHASES * PHASE
    limit = 1 << (width - 5)
    sums, backs = random.integers(-limit, limit, (2, cycles, lanes))
    half = np.arange(cycles) // PHASE % 2
    inside = np.arange(cycles) % PHASE < PHASE - IDLE
    row, drain_row, back_row = random.integers(0, rows, (3, cycles))
    turn, drain_turn = random.integers(0, lanes, (2, cycles))
    how = random.choice([REPLACE, ADD, ADD, MAXIMUM], cycles)
    drain_turned = random.integers(0, 1 + turned, cycles)
    back, valid = inside & (random.random(cycles) < 0.2), inside.copy()
    kept = np.zeros((2, rows, lanes), np.int64)  # of each half: rows of banks
    known, fresh = np.zeros((2, rows, lanes), bool), np.full((2, rows), -AGAIN)
    expected: list[tuple[int, int, int]] = []  # cycle, lane, sum
    for cycle in range(cycles):
        h, r, t = half[cycle], row[cycle], turn[cycle] if turned else 0
        for i in range(lanes):
            bank = (i + drain_turn[cycle]) % lanes if drain_turned[cycle] else i
            place = (drain_row[cycle] + i * drain_turned[cycle]) % rows
            settled = fresh[1 - h, place] <= cycle - AGAIN
            if known[1 - h, place, bank] and settled and inside[cycle]:
                expected.append((cycle, i, kept[1 - h, place, bank]))
        valid[cycle] &= fresh[h, r] <= cycle - AGAIN and cycle + 1 < cycles
        if valid[cycle]:
            fresh[h, r] = cycle
            bank = (np.arange(lanes) + t) % lanes
            # the sums come a cycle after their row; unknown ones can only be replaced
            if not known[h, r].all():
                how[cycle] = REPLACE
            old, new = kept[h, r, bank], sums[cycle + 1]
            kept[h, r, bank] = (new, old + new, np.maximum(old, new))[how[cycle]]
            known[h, r] = True
            if abs(kept[h, r]).max() >= 1 << (width - 2):
                how[cycle] = REPLACE
                kept[h, r, bank] = new
        if back[cycle]:
            kept[1 - h, back_row[cycle]], known[1 - h, back_row[cycle]] = backs[cycle], True
            fresh[1 - h, back_row[cycle]] = cycle
    bits, turns = (rows - 1).bit_length(), max(1, (lanes - 1).bit_length())
    ports = {
        "valid_i": (1, valid),
        "half_i": (1, half),
        "replace_i": (1, how == REPLACE),
        "maximum_i": (1, how == MAXIMUM),
        "row_i": (bits, row),
        "turn_i": (turns, turn),
        "sum_i": (lanes * width, [word_of(s, width) for s in sums]),
        "drain_half_i": (1, 1 - half),
        "drain_turned_i": (1, drain_turned),
        "drain_row_i": (bits, drain_row),
        "drain_turn_i": (turns, drain_turn),
        "back_i": (1, back),
        "back_row_i": (bits, back_row),
        "back_data_i": (lanes * width, [word_of(b, width) for b in backs]),
    }
    return ports, expected
