# SPDX-License-Identifier: Apache-2.0
"""The per-layer table: what each layer is, and the unit that does it."""

from __future__ import annotations

from dataclasses import dataclass

from intaglio.arch.design import Design, Endpoint, Instance
from intaglio.hw.cost import Resources
from intaglio.hw.products import Products
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Graph, Node
from intaglio.ir.types import TensorType
from intaglio.report.facts import Facts, busy
from intaglio.report.html import NONE, Html, Row, Section, element, join, number, percent, table

MULTIPLY = "\N{MULTIPLICATION SIGN}"


UNIT_COLUMNS = (
    "Unit",
    "Operator",
    "Output",
    "Type",
    "Weights",
    "MACs",
    "Fold",
    "Multipliers",
    "Cycles",
    "Busy",
    "LUT",
    "FF",
    "DSP",
    "BRAM",
)


@dataclass(frozen=True)
class UnitRow:
    """A unit of a design. `operator` is its module's name where it does no operator of its own."""

    name: str
    operator: str
    type: TensorType
    weights: str
    macs: int
    fold: Fold | None
    multipliers: int
    interval: int
    busy: float
    resources: Resources
    bottleneck: bool


def unit_rows(design: Design) -> list[UnitRow]:
    """Return a row for every unit, in stream order."""
    return [_unit_row(design, instance) for instance in design.instances]


def _unit_row(design: Design, instance: Instance) -> UnitRow:
    unit = instance.unit
    own = design.graph.producers[instance.node] if instance.name == instance.node else None
    return UnitRow(
        name=instance.name,
        operator=own.op.name if own else unit.module,
        type=_carried(design, Endpoint(instance.name, "")),
        weights=_weights(design.graph, own) if own else "",
        macs=unit.macs,
        fold=design.folds[own.name] if own else None,
        multipliers=unit.multipliers,
        interval=unit.interval,
        busy=busy(instance, design.cycles.interval),
        resources=unit.resources.on(design.device),
        bottleneck=instance is design.bottleneck,
    )


def _carried(design: Design, end: Endpoint) -> TensorType:
    """Return the type of the value on a stream; a unit without an operator passes it on."""
    if not end.instance:
        return design.graph.types[end.port]
    instance = next(i for i in design.instances if i.name == end.instance)
    if instance.name == instance.node:
        return design.graph.types[instance.node]
    return _carried(design, next(iter(instance.sources.values())))


def layers_section(facts: Facts) -> Section:
    """Return the table: of the design's units, or of the program's layers while there is none."""
    body = _layers(facts.program.graph) if facts.design is None else _units(facts.design)
    return Section("layers", "Layer by layer", body)


def _layers(graph: Graph) -> Html:
    rows = [
        Row(
            [
                _code(node.name),
                node.op.name,
                shape(graph.types[node.name]),
                str(graph.types[node.name].element),
                _weights(graph, node) or NONE,
                _count(graph.macs(node)),
                _count(_parameters(graph, node)),
            ]
        )
        for node in graph.nodes
    ]
    macs = sum(graph.macs(node) for node in graph.nodes)
    rows.append(Row(["Total", "", "", "", "", number(macs), number(graph.parameters)], "total"))
    columns = ("Layer", "Operator", "Output", "Type", "Weights", "MACs", "Constants")
    return table("Layers of the integer program.", columns, rows, text=5)


def _weights(graph: Graph, node: Node) -> str:
    """Return the element type of what a node multiplies with, if it does MACs of the network."""
    names = [name for name in node.inputs if name in graph.constants]
    return str(graph.types[names[0]].element) if names and graph.macs(node) else ""


def _parameters(graph: Graph, node: Node) -> int:
    names = [name for name in node.inputs if name in graph.constants]
    return sum(graph.constants[name].data.size for name in names)


def _units(design: Design) -> Html:
    rows = [_cells(row) for row in unit_rows(design)]
    interval, total = design.cycles.interval, design.resources
    macs = sum(instance.unit.macs for instance in design.instances)
    share = macs / (design.multipliers * interval) if design.multipliers else None
    sums = [
        "Design",
        "",
        "",
        "",
        "",
        number(macs),
        "",
        number(design.multipliers),
        number(interval),
    ]
    rows.append(Row([*sums, _meter(share), *_resources(total)], "total"))
    caption = (
        "Units of the design in stream order, cells as estimated. "
        f"Fold: channels in {MULTIPLY} kernel columns {MULTIPLY} channels out that are worked on "
        "side by side. Multipliers: products a cycle, each a DSP, but made of LUTs where the fold "
        "says rows, and two of them one DSP where it says pair. Cycles: the fewest a frame takes "
        "in this unit alone; the slowest unit, marked, sets the pace. Busy: the part of the "
        "design's interval in which the "
        "multipliers do a MAC of the network or, where there are none, the unit passes data."
    )
    return join([table(caption, UNIT_COLUMNS, rows, text=5), _passed(design)])


def _cells(row: UnitRow) -> Row:
    name = _code(row.name)
    if row.bottleneck:
        name = join([name, " ", element("strong", "bottleneck", class_="tag")])
    fold = row.fold
    lanes = (fold.lanes_in, fold.columns, fold.lanes_out) if fold else ()
    kind = f" {fold.products}" if fold and fold.products is not Products.DSP else ""
    cells = [
        name,
        row.operator,
        shape(row.type),
        str(row.type.element),
        row.weights or NONE,
        _count(row.macs),
        MULTIPLY.join(map(str, lanes)) + kind or NONE,
        _count(row.multipliers),
        number(row.interval),
        _meter(row.busy),
        *_resources(row.resources),
    ]
    return Row(cells, "bottleneck" if row.bottleneck else "")


def _resources(cells: Resources) -> list[str]:
    return [_count(cells.lut), _count(cells.ff), _count(cells.dsp), _count(cells.bram)]


def _passed(design: Design) -> Html:
    placed = {instance.node for instance in design.instances}
    names = [node.name for node in design.graph.nodes if node.name not in placed]
    if not names:
        return Html("")
    listed = join(part for name in names for part in (", ", _code(name)))[2:]
    return element("p", "No unit is needed for ", Html(listed), ": the stream passes as it is.")


def shape(type_: TensorType) -> str:
    """Print a shape, channels last."""
    return MULTIPLY.join(map(str, type_.shape)) or "1"


def _code(name: str) -> Html:
    return element("code", name)


def _count(value: int) -> str:
    return number(value) if value else NONE


def _meter(fraction: float | None) -> Html:
    """Print a part of the whole above a bar as long as that part."""
    if fraction is None:
        return Html(NONE)
    width = f"--part:{min(max(fraction, 0.0), 1.0):.4f}"
    return element("span", percent(fraction), class_="meter", style=width)
