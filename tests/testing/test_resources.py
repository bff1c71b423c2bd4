# SPDX-License-Identifier: Apache-2.0
"""Cells of single units, counted and as Yosys makes them, for every family."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.devices import device
from intaglio.testing.resources import cases, measure

#: What estimates of LUTs and flip-flops of these units may be off by: see the command
#: `benchmarks/resource_model.py` for all of its grid.
BAND = {
    "ecp5-25f": (0.25, 0.15),
    "gw2a-18": (0.25, 0.25),
    "ice40up5k": (0.25, 0.25),
    "xc7z020": (0.35, 0.40),
    "xczu7ev": (0.50, 0.50),
}
CHOSEN = ("conv wide, some lanes", "requantize s20, lanes", "pool, lanes, long rows")


def test_the_grid_has_every_unit_once() -> None:
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    assert set(CHOSEN) <= set(names)


@pytest.mark.parametrize("name", BAND)
def test_memories_and_multipliers_are_counted_exactly_and_logic_within_a_band(
    name: str, tmp_path: Path
) -> None:
    lut, ff = BAND[name]
    for case in cases():
        if case.name in CHOSEN:
            found = measure(case, device(name), tmp_path / case.name)
            assert found.estimated.dsp == found.found.dsp, case.name
            assert found.estimated.bram == found.found.bram, case.name
            errors = found.errors()
            assert abs(errors["lut"] or 0.0) <= lut, (case.name, errors)
            assert abs(errors["ff"] or 0.0) <= ff, (case.name, errors)
