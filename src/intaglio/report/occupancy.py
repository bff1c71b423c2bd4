# SPDX-License-Identifier: Apache-2.0
"""How busy each unit of a design is, and how full its buffers get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from intaglio.arch.design import STEADY_FRAMES, Design, Instance
from intaglio.report.facts import Facts
from intaglio.report.html import Html, Section, element, join, number, percent
from intaglio.report.svg import box, drawing, fitted, words

#: Units drawn, at most; further ones are only counted.
MOST = 120
ROW = 18.0
_NAME, _BUSY, _ROOM, _FIGURE = 190.0, 230.0, 110.0, 96.0
_AT_BUSY = _NAME
_AT_INSIDE = _AT_BUSY + _BUSY + 70.0
_AT_OUT = _AT_INSIDE + _ROOM + _FIGURE
_WIDTH = _AT_OUT + _ROOM + _FIGURE
_TOP = 22.0


@dataclass(frozen=True)
class Fullness:
    """The most tokens that a channel held at one time, and those it has room for."""

    channel: str
    peak: int
    room: int

    @property
    def part(self) -> float:
        """The part of the room that was taken."""
        return self.peak / self.room


@dataclass(frozen=True)
class Occupancy:
    """A unit's part of the design's interval, and its fullest buffers inside and at its outputs."""

    instance: Instance
    busy: float
    inside: tuple[Fullness, ...]
    outputs: tuple[Fullness, ...]


def occupancies(design: Design) -> list[Occupancy]:
    """Return how busy and full every unit gets, in stream order.

    The design's own output, which is emptied at once, counts as no buffer.
    """
    peaks = design.timing(STEADY_FRAMES).peaks
    interval = design.cycles.interval
    rows = []
    for instance in design.instances:
        unit = instance.unit
        rows.append(
            Occupancy(
                instance,
                unit.interval / interval,
                tuple(_fullness(design, instance, unit.internal, peaks)),
                tuple(_fullness(design, instance, unit.depths, peaks)),
            )
        )
    return rows


def _fullness(
    design: Design, instance: Instance, ports: Mapping[str, object], peaks: Mapping[str, int]
) -> Iterator[Fullness]:
    for port in ports:
        channel = f"{instance.name}.{port}"
        if (instance.name, port) != (design.output.instance, design.output.port):
            yield Fullness(port, peaks[channel], design.room(channel))


def occupancy_section(facts: Facts) -> Section | None:
    """Return the picture; needs a design."""
    design = facts.design
    if design is None:
        return None
    rows = occupancies(design)
    shown = rows[:MOST]
    interval = number(design.cycles.interval)
    text = (
        f"Busy: the least cycles a frame takes in a unit, as a part of the {interval} "
        "between frames. Buffers: the most rows or beats held at one time and the room for them, "
        f"both by the exact timing of {STEADY_FRAMES} frames."
    )
    if len(shown) < len(rows):
        text += f" The first {MOST} of {len(rows)} units are shown."
    height = _TOP + ROW * len(shown)
    parts = [*_heads(), *(part for n, row in enumerate(shown) for part in _row(design, n, row))]
    slowest = design.bottleneck.name
    picture = drawing(_WIDTH, height, parts, f"How busy {len(shown)} units are, most {slowest}")
    return Section(
        "occupancy",
        "Pipeline occupancy",
        join([element("p", text), element("figure", picture)]),
    )


def _heads() -> Iterator[Html]:
    heads = (_AT_BUSY, "cycles busy"), (_AT_INSIDE, "buffer inside"), (_AT_OUT, "output FIFO")
    for x, title in heads:
        yield words(x, 11, title, "soft")


def _row(design: Design, index: int, row: Occupancy) -> Iterator[Html]:
    y = _TOP + ROW * index
    name, line = row.instance.name, y + 11
    bottleneck = row.instance is design.bottleneck
    kind = "strong" if bottleneck else ""
    yield words(
        0, line, fitted(name, _NAME - 12), kind, hint=f"{name} ({row.instance.unit.module})"
    )
    yield from _bar(_AT_BUSY, y, _BUSY, row.busy, "alarm" if bottleneck else "fill")
    yield words(_AT_BUSY + _BUSY + 6, line, percent(row.busy), kind)
    for x, channels in ((_AT_INSIDE, row.inside), (_AT_OUT, row.outputs)):
        if channels:
            fullest = max(channels, key=lambda channel: channel.part)
            hint = "; ".join(f"{c.channel} {c.peak:,} of {c.room:,}" for c in channels)
            yield from _bar(x, y, _ROOM, fullest.part, "fill", hint)
            yield words(x + _ROOM + 6, line, f"{fullest.peak:,} of {fullest.room:,}", hint=hint)


def _bar(
    x: float, y: float, width: float, part: float, kind: str, hint: str = ""
) -> Iterator[Html]:
    yield box(x, y + 2, width, ROW - 6, "track", hint=hint)
    yield box(x, y + 2, width * min(part, 1.0), ROW - 6, kind, hint=hint)
