# SPDX-License-Identifier: Apache-2.0
"""A memory of elements against an array: any address, any mask, around the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vectors import drive, lanes_of, word_of

BLOCKS = ("delay", "element_memory", "lane_rotator", "sliced_ram")
LATENCY, READABLE, CYCLES = 4, 2, 6000


@pytest.mark.parametrize(("lanes", "width", "rows"), [(2, 8, 2), (8, 3, 16), (16, 8, 4)])
def test_neighbors_are_written_and_read_at_any_address(
    lanes: int, width: int, rows: int, tmp_path: Path, runtime: Path
) -> None:
    random = np.random.default_rng(lanes)
    size = lanes * rows
    write = random.random(CYCLES) < 0.5
    write_at, read_at = random.integers(0, size, (2, CYCLES))
    mask = random.integers(0, 2, (CYCLES, lanes))
    data = random.integers(0, 1 << width, (CYCLES, lanes))
    bits = (size - 1).bit_length()
    found = drive(
        "element_memory",
        BLOCKS,
        {"Lanes": lanes, "Width": width, "Rows": rows},
        {
            "write_i": (1, write),
            "write_addr_i": (bits, write_at),
            "mask_i": (lanes, [word_of(m, 1) for m in mask]),
            "data_i": (lanes * width, [word_of(d, width) for d in data]),
            "read_addr_i": (bits, read_at),
        },
        ("data_o", lanes * width),
        tmp_path,
        runtime,
    )
    kept = np.full(size, -1)  # nothing written yet
    fresh = np.full(size, -READABLE)
    compared = 0
    neighbors = np.arange(lanes)
    for cycle in range(CYCLES - LATENCY + 1):
        if write[cycle]:
            places = ((write_at[cycle] + neighbors) % size)[mask[cycle] == 1]
            kept[places] = data[cycle][mask[cycle] == 1]
            fresh[places] = cycle
        seen = (read_at[cycle] + neighbors) % size
        given = lanes_of(found[cycle + LATENCY - 1], lanes, width)
        for place, value in zip(seen, given, strict=True):
            if kept[place] >= 0 and fresh[place] <= cycle - READABLE:
                assert value == kept[place], (cycle, place)
                compared += 1
    assert compared > CYCLES
