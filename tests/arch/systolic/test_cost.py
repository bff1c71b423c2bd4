# SPDX-License-Identifier: Apache-2.0
"""What an array is said to take: how it grows, and against what Yosys makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.cost import ListSize, cost, list_sizes
from intaglio.arch.systolic.instructions import varying_bits
from intaglio.arch.systolic.schedule import UNITS
from intaglio.devices import device
from intaglio.devices.family import families
from intaglio.testing.systolic_resources import CASES, measure_engine, small_schedule

TARGET = device("ecp5-85f")
LISTS = {kind: ListSize(count=20, bits=40) for kind in UNITS}
#: What estimates of LUTs and flip-flops may be off by: `benchmarks/systolic_resources.py` tells
#: what they are for all of the grid.
BAND = (0.10, 0.10)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """Draw an array of any sizes that are taken."""
    weight_bits = draw(st.integers(2, 8))
    return Array(
        draw(st.integers(1, 40)),
        draw(st.integers(1, 40)),
        frozenset(draw(st.sets(st.sampled_from(list(Dataflow)), min_size=1))),
        act_bits=draw(st.integers(2, 8)),
        weight_bits=weight_bits,
        code_bits=draw(st.sampled_from([0, weight_bits])),
        sum_bits=draw(st.integers(20, 34)),
        act_rows=1 << draw(st.integers(1, 14)),
        weight_words=1 << draw(st.integers(1, 14)),
        parameter_words=1 << draw(st.integers(1, 12)),
        sum_rows=1 << draw(st.integers(1, 12)),
        beat_bits=1 << draw(st.integers(6, 9)),
    )


@given(arrays(), st.sampled_from(["rows", "columns"]))
def test_a_larger_array_takes_no_less_of_anything(array: Array, side: str) -> None:
    small = cost(array, LISTS).on(TARGET)
    large = cost(replace(array, **{side: getattr(array, side) + 1}), LISTS).on(TARGET)
    assert all(large.counts[kind] >= small.counts[kind] for kind in small.counts)
    assert large.dsp > small.dsp
    assert large.ff > small.ff


@given(arrays())
def test_every_cell_has_a_multiplier_and_every_column_one_or_two(array: Array) -> None:
    found = cost(array, LISTS).on(TARGET).dsp
    each = 1 if array.sum_bits <= 24 else 2
    assert found == array.rows * array.columns + each * array.columns


@given(arrays(), st.sampled_from(["act_rows", "weight_words", "sum_rows", "parameter_words"]))
def test_a_deeper_memory_takes_no_fewer_blocks(array: Array, size: str) -> None:
    deeper = replace(array, **{size: 2 * getattr(array, size)})
    assert cost(deeper, LISTS).on(TARGET).bram >= cost(array, LISTS).on(TARGET).bram


@given(arrays(), st.integers(1, 600), st.integers(1, 5000))
def test_longer_and_wider_lists_cost_more_of_something(array: Array, bits: int, count: int) -> None:
    small = cost(array, dict.fromkeys(UNITS, ListSize(count, bits)))
    large = cost(array, dict.fromkeys(UNITS, ListSize(4 * count, 2 * bits)))
    before, after = small.on(TARGET), large.on(TARGET)
    assert after.lut > before.lut or after.bram > before.bram  # a long list goes to block RAM


def test_every_family_with_multipliers_and_blocks_has_an_engine() -> None:
    assert {"ecp5", "gowin", "ice40", "series7", "ultrascale"} <= set(families())
    for name in ("ecp5-25f", "gw2a-18", "ice40up5k", "xc7z020", "xczu7ev"):
        found = cost(Array(2, 2), LISTS).on(device(name))
        assert found.dsp >= 4
        assert found.bram > 0
        assert found.lut > 0


def test_a_list_keeps_only_bits_that_differ() -> None:
    schedule = small_schedule(CASES["4 x 4 os"])
    sizes = list_sizes(schedule)
    for kind in UNITS:
        list_ = schedule.list_of(kind)
        assert sizes[kind] == ListSize(len(list_), varying_bits(list_, 8))
        assert varying_bits(list_[:1], 8) == 0
        assert varying_bits(list_ * 2, 8) == sizes[kind].bits


@pytest.mark.parametrize("name", ["2 x 2 ws"])
def test_memories_and_multipliers_are_counted_exactly_and_logic_within_a_band(
    name: str, tmp_path: Path
) -> None:
    found = measure_engine(name, TARGET, tmp_path / "array")
    assert found.estimated.dsp == found.found.dsp
    assert found.estimated.bram == found.found.bram
    errors = found.errors()
    assert abs(errors["lut"]) <= BAND[0], errors
    assert abs(errors["ff"]) <= BAND[1], errors
    assert "latch" not in " ".join(found.found.counts).lower()
