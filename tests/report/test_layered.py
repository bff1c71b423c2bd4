# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from intaglio.report.layered import layered

Drawn = tuple[list[str], list[tuple[str, str]]]


@st.composite
def graphs(draw: Callable[[st.SearchStrategy[int]], int]) -> Drawn:
    """Draw a graph in which every node but the first reads one or two before it."""
    nodes = [f"n{index}" for index in range(draw(st.integers(1, 12)))]
    edges = []
    for index in range(1, len(nodes)):
        for _ in range(draw(st.integers(1, 2))):
            edges.append((nodes[draw(st.integers(0, index - 1))], nodes[index]))
    return nodes, edges


@given(graphs())
def test_no_two_things_stand_in_one_place(graph: Drawn) -> None:
    found = layered(*graph)
    places = [(row, column) for (_, row), column in found.columns.items()]
    assert len(places) == len(set(places))
    assert set(found.rows) == set(graph[0])
    assert {(name, row) for name, row in found.rows.items()} <= set(found.columns)


@given(graphs())
def test_every_edge_runs_down_a_row_at_a_time(graph: Drawn) -> None:
    found = layered(*graph)
    lines = set(found.lines)
    assert len(lines) == len(found.lines)
    assert all(below[1] == above[1] + 1 for above, below in lines)
    used = set()
    for operand, reader in graph[1]:
        assert found.rows[operand] < found.rows[reader]
        points = [(operand, row) for row in range(found.rows[operand], found.rows[reader])]
        points.append((reader, found.rows[reader]))
        used |= set(pairwise(points))
    assert used == lines


@given(graphs())
def test_the_longest_path_runs_straight_down(graph: Drawn) -> None:
    found = layered(*graph)
    first = {found.rows[name] for name in graph[0] if found.columns[name, found.rows[name]] == 0}
    assert first == set(range(1 + max(found.rows.values())))


def test_a_residual_runs_beside_its_block() -> None:
    edges = [("x", "a"), ("a", "b"), ("b", "add"), ("x", "add")]
    found = layered(["x", "a", "b", "add"], edges)
    assert found.rows == {"x": 0, "a": 1, "b": 2, "add": 3}
    assert found.beside == {("x", 1), ("x", 2)}
    assert {found.columns[point] for point in found.beside} == {1}
    assert {found.columns[name, row] for name, row in found.rows.items()} == {0}


def test_readers_of_one_value_share_its_line() -> None:
    edges = [("x", "a"), ("a", "b"), ("b", "c"), ("x", "b"), ("x", "c")]
    found = layered(["x", "a", "b", "c"], edges)
    assert found.beside == {("x", 1), ("x", 2)}
    assert len(found.lines) == 7
