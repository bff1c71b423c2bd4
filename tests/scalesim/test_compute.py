# SPDX-License-Identifier: Apache-2.0
"""Closed forms of a placement, by hand and against sums fold by fold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.scalesim import compute as module
from intaglio.scalesim.compute import compute
from intaglio.scalesim.dataflow import DATAFLOWS, Placement
from intaglio.scalesim.topology import Layer
from tests.scalesim.layers import layers

#: AlexNet's second layer on an array of 128 by 128.
CONV2 = Layer("conv2", 27, 27, 5, 5, 96, 256, 1, 1)


@pytest.mark.parametrize(
    ("dataflow", "folds", "lines"), [("os", 5 * 2, 2654), ("ws", 19 * 2, 911), ("is", 19 * 5, 638)]
)
def test_cycles_of_a_layer(dataflow: str, folds: int, lines: int) -> None:
    placement = Placement.of(CONV2, dataflow, 128, 128, sparse=False)
    assert (placement.folds, placement.lines) == (folds, lines)
    assert compute(CONV2, placement, sparse=False).lines == folds * lines


def test_accesses_of_a_layer() -> None:
    os, ws, stays = (
        compute(CONV2, Placement.of(CONV2, dataflow, 128, 128, sparse=False), sparse=False)
        for dataflow in DATAFLOWS
    )
    pixels, taps, filters = 529, 2400, 256
    assert os.ifmap_reads == ws.ifmap_reads == 2 * pixels * taps
    assert stays.ifmap_reads == pixels * taps
    assert os.filter_reads == stays.filter_reads == 5 * taps * filters
    assert ws.filter_reads == taps * filters
    assert os.ofmap_writes == pixels * filters + 10 * (128 + 128)
    assert ws.ofmap_writes == stays.ofmap_writes == 19 * pixels * filters


@given(layers, st.integers(1, 9), st.integers(1, 9), st.sampled_from(sorted(DATAFLOWS)))
def test_many_folds_are_summed_as_few_are(
    layer: Layer, rows: int, columns: int, dataflow: str
) -> None:
    placement = Placement.of(layer, dataflow, rows, columns, sparse=False)
    expected = compute(layer, placement, sparse=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW_FOLDS", 0)
        patch.setattr(module, "FOLDS_AT_ONCE", 7)
        assert compute(layer, placement, sparse=False) == expected
