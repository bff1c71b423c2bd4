# SPDX-License-Identifier: Apache-2.0
"""Flushes on layers large enough to be counted in blocks, against a set of words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.scalesim.config import Config
from intaglio.scalesim.dataflow import DATAFLOWS, FILTER, IFMAP, Placement
from intaglio.scalesim.reads_calc import Reads, reads_calc
from intaglio.scalesim.topology import Layer
from tests.scalesim import slow
from tests.scalesim.layers import TINY

sizes = st.sampled_from((1, 2, 3, 4, 6, 8, 16, 32))


@st.composite
def large_layers(draw: st.DrawFn) -> Layer:
    height, width = draw(st.integers(4, 20)), draw(st.integers(4, 20))
    return Layer(
        "large",
        height,
        width,
        draw(st.integers(1, min(height, 5))),
        draw(st.integers(1, min(width, 5))),
        draw(st.sampled_from((1, 2, 3, 4, 6, 8, 12))),
        draw(st.integers(1, 6)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        *draw(st.sampled_from(((1, 1), (2, 4)))),
    )


@given(
    large_layers(),
    sizes,
    sizes,
    st.sampled_from(sorted(DATAFLOWS)),
    st.sampled_from((100, 200, 300, 1000, 2048, 4096)),
    st.booleans(),
)
def test_reads(
    layer: Layer, rows: int, columns: int, dataflow: str, buffer: int, sparse: bool
) -> None:
    config = replace(TINY, rows=rows, columns=columns, dataflow=dataflow, sparse=sparse)
    needed = slow.demand(layer, config)
    for which, lines in ((IFMAP, needed.ifmap), (FILTER, needed.filter)):
        compare(layer, config, which, buffer, lines)


def compare(
    layer: Layer, config: Config, which: frozenset[str], buffer: int, lines: slow.Matrix
) -> None:
    """Compare the reads of an operand, or that both divide by zero."""
    held = slow.EstimatedReads(buffer)
    for cycle, line in enumerate(lines):
        held.serve(line, cycle)
    placement = Placement.of(
        layer, config.dataflow, config.rows, config.columns, sparse=config.sparse
    )
    try:
        start, stop, words = held.accesses()
    except slow.DividesByZeroError:
        with pytest.raises(ModelError, match="divides by zero"):
            reads_calc(layer, placement, which, buffer, 10, sparse=config.sparse)
        return
    found = reads_calc(layer, placement, which, buffer, 10, sparse=config.sparse)
    assert found == Reads(words, start, stop)
