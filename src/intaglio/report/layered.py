# SPDX-License-Identifier: Apache-2.0
"""Places for the nodes of a graph in rows and columns: what is read stands above its readers.

A node's row is the length of the longest path to it. A value read further down has a point in each
row it passes. Nodes and points are strung into chains, the longest first, and each chain keeps to
one column, the first that is free in all its rows; so a branch runs straight down beside the trunk.

Source: the rows and the points are those of Sugiyama, Tagawa, Toda, "Methods for Visual
Understanding of Hierarchical System Structures", IEEE Trans. SMC 11(2), 1981, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: A node in its own row, or the point of its value in a row further down.
Point = tuple[str, int]


@dataclass(frozen=True)
class Layout:
    """The column of every node and point, the lines between them, and the nodes' rows.

    `beside` holds the points of chains in which no node stands.
    """

    rows: Mapping[str, int]
    columns: Mapping[Point, int]
    lines: tuple[tuple[Point, Point], ...]
    beside: frozenset[Point]


def layered(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Lay out a graph whose nodes are in topological order; edges lead from operand to reader."""
    edges = tuple(dict.fromkeys(edges))
    rows = _rows(nodes, edges)
    lines = _lines(rows, edges)
    order = sorted({*((n, rows[n]) for n in nodes), *(p for line in lines for p in line)}, key=_row)
    below: dict[Point, list[Point]] = {point: [] for point in order}
    for above, point in lines:
        below[above].append(point)
    columns: dict[Point, int] = {}
    beside: set[Point] = set()
    taken: list[set[int]] = []
    for chain in _chains(order, below, rows):
        used = {row for _, row in chain}
        column = next((c for c, other in enumerate(taken) if not used & other), len(taken))
        if column == len(taken):
            taken.append(set())
        taken[column] |= used
        columns |= dict.fromkeys(chain, column)
        if not any(rows[name] == row for name, row in chain):
            beside |= set(chain)
    return Layout(rows, columns, lines, frozenset(beside))


def _row(point: Point) -> int:
    return point[1]


def _rows(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    operands: dict[str, list[str]] = {name: [] for name in nodes}
    for operand, reader in edges:
        operands[reader].append(operand)
    rows: dict[str, int] = {}
    for name in nodes:
        rows[name] = max((rows[operand] + 1 for operand in operands[name]), default=0)
    return rows


def _lines(
    rows: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> tuple[tuple[Point, Point], ...]:
    """Return the parts of all edges, each from one row to the next; edges of a value share them."""
    parts: dict[tuple[Point, Point], None] = {}
    for operand, reader in edges:
        for row in range(rows[operand], rows[reader] - 1):
            parts[(operand, row), (operand, row + 1)] = None
        parts[(operand, rows[reader] - 1), (reader, rows[reader])] = None
    return tuple(parts)


def _chains(
    order: Sequence[Point], below: Mapping[Point, Sequence[Point]], rows: Mapping[str, int]
) -> Iterable[list[Point]]:
    """Yield chains from top to bottom that hold each point once, those with most nodes first."""
    nodes_below: dict[Point, int] = {}
    for point in reversed(order):
        own = rows[point[0]] == point[1]
        nodes_below[point] = own + max((nodes_below[p] for p in below[point]), default=0)
    free = dict.fromkeys(sorted(order, key=lambda point: (point[1], -nodes_below[point])))
    while free:
        at: Point | None = next(iter(free))
        chain: list[Point] = []
        while at is not None:
            del free[at]
            chain.append(at)
            after = [p for p in below[at] if p in free]
            at = max(after, key=nodes_below.__getitem__, default=None)
        yield chain
