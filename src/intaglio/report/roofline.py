# SPDX-License-Identifier: Apache-2.0
"""Roofline: what each layer and the whole design reach of what their multipliers and streams can.

Source: Williams, Waterman, Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", CACM 52(4), 2009. Here all weights stay on chip, so the bytes that count
are those of the streams; points with the weights added show what fetching them would mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from intaglio.arch.design import Design
from intaglio.hw.unit import Stream
from intaglio.report.facts import Facts
from intaglio.report.html import Html, Row, Section, element, join, number, percent, table
from intaglio.report.plots import Spot, roofline

COLUMNS = (
    "Layer",
    "",
    "MACs",
    "Bytes in",
    "Bytes out",
    "Weight bytes",
    "MACs a byte",
    "MACs a cycle",
    "Roof",
    "Reached",
)


@dataclass(frozen=True)
class Work:
    """What is done for a frame and what is moved for it: by a layer, or by the whole design.

    `beats` are those of its longest stream: a frame takes at least as many cycles.
    """

    name: str
    macs: int
    multipliers: int
    beats: int
    bytes_in: float
    bytes_out: float
    weight_bytes: float
    interval: int

    @property
    def moved(self) -> float:
        """Bytes that pass its ends."""
        return self.bytes_in + self.bytes_out

    @property
    def reached(self) -> float:
        """MACs a cycle."""
        return self.macs / self.interval

    @property
    def roof(self) -> float:
        """The most MACs a cycle: of its multipliers, or as fast as its streams can pass."""
        return min(float(self.multipliers), self.macs / self.beats)

    def spot(self, label: str) -> Spot:
        """Return the point to draw."""
        intensity = self.macs / self.moved
        fetched = self.macs / (self.moved + self.weight_bytes)
        return Spot(label, intensity, fetched, self.reached, self.roof)


def layers_work(design: Design) -> list[Work]:
    """Return the work of every layer that multiplies, in stream order."""
    found = []
    for instance in design.instances:
        unit = instance.unit
        if unit.multipliers:
            found.append(
                Work(
                    instance.name,
                    unit.macs,
                    unit.multipliers,
                    _beats([*unit.inputs.values(), *unit.outputs.values()]),
                    _bytes(unit.inputs.values()),
                    _bytes(unit.outputs.values()),
                    _weight_bytes(design, instance.node),
                    design.cycles.interval,
                )
            )
    return found


def design_work(design: Design) -> Work:
    """Return the work of a whole design, between its own ends."""
    layers, output = layers_work(design), design.output_stream
    return Work(
        design.graph.name,
        sum(layer.macs for layer in layers),
        design.multipliers,
        _beats([*design.inputs.values(), output]),
        _bytes(design.inputs.values()),
        _bytes([output]),
        sum(layer.weight_bytes for layer in layers),
        design.cycles.interval,
    )


def _beats(streams: Iterable[Stream]) -> int:
    return max(stream.beats for stream in streams)


def _bytes(streams: Iterable[Stream]) -> float:
    return sum(stream.beats * stream.width for stream in streams) / 8


def _weight_bytes(design: Design, node: str) -> float:
    constants = design.graph.constants
    names = [name for name in design.graph.producers[node].inputs if name in constants]
    bits = sum(constants[n].data.size * design.graph.types[n].integer.width for n in names)
    return bits / 8


def roofline_section(facts: Facts) -> Section | None:
    """Return the roofline; needs a design that multiplies."""
    design = facts.design
    if design is None or not design.multipliers:
        return None
    layers, whole = layers_work(design), design_work(design)
    spots = [work.spot(str(index)) for index, work in enumerate(layers, start=1)]
    plot = roofline(
        spots,
        whole.spot("design"),
        peak=whole.multipliers,
        bandwidth=whole.moved / whole.beats,
        name="roofline",
        description=f"Roofline of {len(layers)} layers and the design: {_reached(whole)}",
    )
    text = (
        f"The design does {_reached(whole)}{_clocked(facts, whole)}. Line: its roof, by its "
        f"{whole.multipliers:,} multipliers and, on the left, its streams at a beat a cycle. Full "
        "points: by the bytes that enter and leave a layer in a frame, between layers on wires of "
        "the chip. Hollow points: the weights added, though all of them stay on the chip. Ticks: "
        "a layer's own roof."
    )
    rows = [_row(work, str(index)) for index, work in enumerate(layers, start=1)]
    rows.append(_row(whole, "", "total"))
    caption = "Work and traffic of a frame, by the design's interval. Reached: of the roof."
    body = [element("p", text), element("figure", plot, class_="wide")]
    body.append(table(caption, COLUMNS, rows))
    return Section("roofline", "Roofline", join(body))


def _reached(whole: Work) -> str:
    return f"{whole.reached:,.1f} of at most {whole.multipliers:,} MACs a cycle"


def _clocked(facts: Facts, whole: Work) -> str:
    """Say the same in seconds, where a clock is known."""
    if facts.synthesis is None:
        return ""
    clock = facts.synthesis.placed.fmax_mhz
    reached, peak = (macs * clock / 1000 for macs in (whole.reached, whole.multipliers))
    return f", at {clock:,.1f} MHz {reached:,.2f} of {peak:,.2f} GMAC/s"


def _row(work: Work, label: str, mark: str = "") -> Row:
    name: Html | str = "Design" if mark else element("code", work.name)
    return Row(
        [
            name,
            label,
            number(work.macs),
            number(work.bytes_in),
            number(work.bytes_out),
            number(work.weight_bytes),
            number(work.macs / work.moved, 1),
            number(work.reached, 1),
            number(work.roof, 1),
            percent(work.reached / work.roof),
        ],
        mark,
    )
