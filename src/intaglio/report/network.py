# SPDX-License-Identifier: Apache-2.0
"""The float network as a picture: its nodes from top to bottom, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from intaglio.arch.design import Design, Instance
from intaglio.ir.graph import Graph
from intaglio.report.facts import Facts
from intaglio.report.fates import Fate, fates
from intaglio.report.html import Html, Section, element, join
from intaglio.report.layered import Layout, Point, layered
from intaglio.report.layers import MULTIPLY, shape
from intaglio.report.svg import box, drawing, fitted, path, words

#: Nodes drawn, at most.
MOST = 250
WIDTH, LINE, GAP, ASIDE = 290.0, 15.0, 30.0, 34.0
_EDGE, _HEAD = 8.0, 24.0


@dataclass(frozen=True)
class Card:
    """A node as it is drawn: its operator, name, shape, type, and lines on what became of it.

    `kind` is the class of the stripe on its left.
    """

    operator: str
    name: str
    shape: str
    type: str
    lines: tuple[str, ...]
    kind: str

    @property
    def height(self) -> float:
        """How tall it is."""
        return _HEAD + LINE * (1 + len(self.lines)) + 3


def network_section(facts: Facts) -> Section:
    """Return the picture of the float network."""
    graph, design = facts.graph, facts.design
    found = cards(graph, fates(graph, facts.program, design), design)
    names = [*found][:MOST]
    edges = [
        (operand, node.name)
        for node in graph.nodes
        for operand in node.inputs
        if node.name in names and operand in names
    ]
    text = (
        "The float network as it was read, with what stands for each node in the integers"
        + ("." if design is None else ", the units that do it, their fold and cycles a frame.")
        + " Green edges: nodes with work of their own, orange the slowest; gray: folded into "
        "others, or no more than a name."
    )
    if len(names) < len(found):
        text += f" The first {MOST} of {len(found)} nodes are shown."
    picture = _picture({name: found[name] for name in names}, layered(names, edges))
    figure = element(
        "figure", picture, class_="scroll", role="region", tabindex="0", aria_label="Network"
    )
    return Section("network", "Network", join([element("p", text), figure]))


def cards(graph: Graph, known: Mapping[str, Fate], design: Design | None) -> dict[str, Card]:
    """Return what is drawn for every value of a float graph."""
    operators = {node.name: node.op.name for node in graph.nodes}
    slowest = "" if design is None else design.bottleneck.name
    guests: dict[str, list[str]] = {}
    for name, fate in known.items():
        guests.setdefault(fate.into, []).append(name)
    found = {}
    for name, fate in known.items():
        types = [str(graph.types[name].element)]
        if fate.type is not None:
            types.append(str(fate.type.element))
        works = bool(fate.units) if design is not None else bool(fate.nodes)
        kind = "alarm" if slowest in [unit.name for unit in fate.units] else "fill"
        found[name] = Card(
            operators.get(name, "input"),
            name,
            shape(graph.types[name]),
            " \N{RIGHTWARDS ARROW} ".join(types),
            tuple(_lines(fate, design, guests.get(name, ()))),
            kind if works else "quiet",
        )
    return found


def _lines(fate: Fate, design: Design | None, guests: Sequence[str]) -> Iterator[str]:
    """Say what became of a node; `guests` were folded into it."""
    if fate.into or fate.type is None:
        yield f"folded into {fate.into}" if fate.into else "left out"
    if guests:
        yield f"does {', '.join(guests)} too"
    if design is None:
        for node in fate.nodes:
            yield f"{node.op.name} {node.name}"
        return
    for unit in fate.units:
        yield _unit(design, unit)
    if fate.nodes and not fate.units:
        yield "no unit: the stream passes as it is"
    if fate.plumbing:
        yield f"+ {', '.join(unit.unit.module for unit in fate.plumbing)}"


def _unit(design: Design, instance: Instance) -> str:
    unit, fold = instance.unit, design.folds[instance.node]
    lanes = MULTIPLY.join(map(str, (fold.lanes_in, fold.columns, fold.lanes_out)))
    return f"{unit.module} {lanes}, {unit.interval:,} cycles"


def _picture(found: Mapping[str, Card], layout: Layout) -> Html:
    tops = _tops(found, layout)
    lefts = _lefts(layout)
    middles = {
        point: lefts[column] + (ASIDE / 2 if point in layout.beside else WIDTH / 2)
        for point, column in layout.columns.items()
    }
    parts = list(_wires(found, layout, tops, middles))
    for name, card in found.items():
        row = layout.rows[name]
        parts += _card(card, lefts[layout.columns[name, row]], tops[row])
    edges = len(layout.lines)
    return drawing(
        lefts[-1],
        tops[-1] - GAP + 1,
        parts,
        f"The network's {len(found)} nodes from top to bottom, joined by {edges} lines",
        shrinks=False,
    )


def _tops(found: Mapping[str, Card], layout: Layout) -> list[float]:
    """Return where every row begins, and behind them where one more would."""
    heights = [0.0] * (1 + max(layout.rows.values()))
    for name, card in found.items():
        row = layout.rows[name]
        heights[row] = max(heights[row], card.height)
    tops = [1.0]
    for height in heights:
        tops.append(tops[-1] + height + GAP)
    return tops


def _lefts(layout: Layout) -> list[float]:
    """Return where every column begins, and behind them where one more would."""
    wide = {column for point, column in layout.columns.items() if point not in layout.beside}
    lefts = [1.0]
    for column in range(1 + max(layout.columns.values())):
        lefts.append(lefts[-1] + (WIDTH + ASIDE / 2 if column in wide else ASIDE))
    return lefts


def _wires(
    found: Mapping[str, Card],
    layout: Layout,
    tops: Sequence[float],
    middles: Mapping[Point, float],
) -> Iterator[Html]:
    """Yield the lines: straight past the nodes of a row, and curved between rows."""
    sources: dict[Point, list[Point]] = {}
    for above, below in layout.lines:
        sources.setdefault(below, []).append(above)
    for below, all_above in sources.items():
        is_node = layout.rows[below[0]] == below[1]
        ordered = sorted(all_above, key=lambda point: middles[point])
        apart = min(24.0, WIDTH / (len(ordered) + 1)) if is_node else 0.0
        for index, above in enumerate(ordered):
            row = above[1]
            start = tops[row] + (found[above[0]].height if layout.rows[above[0]] == row else 0)
            x, bend, end = middles[above], tops[row + 1] - GAP, tops[row + 1]
            to = middles[below] + apart * (index - (len(ordered) - 1) / 2)
            half = (bend + end) / 2
            yield path(
                f"M{x:.0f} {start:.0f}V{bend:.0f}C{x:.0f} {half:.0f} {to:.0f} {half:.0f} "
                f"{to:.0f} {end:.0f}",
                "edge",
            )
            if is_node:
                yield path(f"M{to - 4:.0f} {end - 7:.0f}h8l-4 7z", "head")


def _card(card: Card, x: float, y: float) -> Iterator[Html]:
    hint = "\n".join((f"{card.operator} {card.name}", f"{card.shape} {card.type}", *card.lines))
    yield box(x, y, WIDTH, card.height, "box", hint=hint)
    yield box(x, y, 4, card.height, card.kind)
    left, right, line = x + 4 + _EDGE, x + WIDTH - _EDGE, y + 16
    yield words(left, line, card.operator, "strong")
    room = WIDTH - 40 - 7 * len(card.operator)
    yield words(right, line, fitted(card.name, room), "soft", anchor="end")
    yield words(left, line + LINE + 2, card.shape)
    yield words(right, line + LINE + 2, card.type, anchor="end")
    for index, text in enumerate(card.lines):
        y_line = line + LINE * (index + 2) + 4
        yield words(left, y_line, fitted(text, WIDTH - 3 * _EDGE), "soft")
