# SPDX-License-Identifier: Apache-2.0
"""Sums over lines against the lines themselves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from intaglio.scalesim.dataflow import DATAFLOWS, FILTER, IFMAP, OFMAP, Placement
from intaglio.scalesim.lines import line_of, ramp, ramp_line, words_before
from intaglio.scalesim.topology import Layer
from tests.scalesim import slow
from tests.scalesim.layers import TINY, layers

edges = st.integers(1, 9)


@given(edges, edges)
def test_words_of_a_skewed_grid(height: int, width: int) -> None:
    lines = sorted(i + j for i in range(height) for j in range(width))
    assert [ramp_line(height, width, word) for word in range(len(lines))] == lines
    for line in range(height + width):
        assert ramp(height, width, line) == sum(at < line for at in lines)


def test_a_grid_with_more_words_than_a_square_root_is_exact_for() -> None:
    side = 1 << 28
    for line in (1, side - 1, side, 2 * side - 2):
        word = ramp(side, side, line)
        assert ramp_line(side, side, word) == line
        assert ramp_line(side, side, word - 1) == line - 1


@given(layers, edges, edges, st.sampled_from(sorted(DATAFLOWS)))
def test_words_and_lines_of_a_stream(layer: Layer, rows: int, columns: int, dataflow: str) -> None:
    placement = Placement.of(layer, dataflow, rows, columns, sparse=False)
    config = replace(TINY, rows=rows, columns=columns, dataflow=dataflow)
    needed = slow.demand(layer, config)
    for which, lines in ((FILTER, needed.filter), (OFMAP, needed.ofmap), (IFMAP, needed.ifmap)):
        stream = placement.streams[which]
        counts = [sum(word != -1 for word in line) for line in lines]
        if which == IFMAP and sum(counts) != stream.words:
            continue  # a window lies partly outside of the image
        at = [line for line, count in enumerate(counts) for _ in range(count)]
        assert sum(counts) == stream.words
        assert (stream.first_line, stream.last_line) == (at[0], at[-1])
        assert [line_of(stream, word) for word in range(len(at))] == at
        for line in range(len(lines) + 2):
            assert words_before(stream, line) == sum(counts[:line])
