# SPDX-License-Identifier: Apache-2.0
"""Everything about a network on one page: a single HTML file that works offline.

The same facts give the same bytes: no date, no host and no random name enters the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.arch.design import Design
from intaglio.artifact import content_hash, version, write_atomic
from intaglio.explore.folding import Folding
from intaglio.ir.graph import Graph, Program
from intaglio.ops.store import pack
from intaglio.quantize.accuracy import Evaluation, evaluate
from intaglio.report.accuracy import accuracy_section
from intaglio.report.comparison import CELLS, comparison_section, device_section
from intaglio.report.facts import Facts
from intaglio.report.floor import floor_section
from intaglio.report.front import front_section
from intaglio.report.html import Html, Row, Section, element, join, number, page, percent, table
from intaglio.report.layers import layers_section
from intaglio.report.network import network_section
from intaglio.report.occupancy import occupancy_section
from intaglio.report.roofline import roofline_section
from intaglio.report.timeline import timeline_section
from intaglio.report.values import values_section
from intaglio.tools.simulation import Run
from intaglio.tools.synthesis import Synthesis


@dataclass(frozen=True)
class Report:
    """A finished page, and the same in a few lines of text."""

    html: str
    text: str

    def __str__(self) -> str:
        return self.text

    def save(self, path: str | Path) -> None:
        """Write the page, whole or not at all."""
        write_atomic(Path(path), self.html.encode())


def report(
    graph: Graph,
    program: Program,
    *,
    evaluation: Evaluation | None = None,
    images: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    design: Design | None = None,
    run: Run | None = None,
    synthesis: Synthesis | None = None,
    front: Sequence[Folding] = (),
    commands: Sequence[str] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Report:
    """Show what is known about a network; what is not given has no section.

    Args:
        graph: the float network.
        program: its integers.
        evaluation: the two compared; made here where there are images and it is not given.
        images: [N, *frame] in the source model's axis order, those of the evaluation.
        labels: class numbers, for an evaluation made here.
        design: the program on a device.
        run: its simulation.
        synthesis: the placed design.
        front: foldings to compare the design with, as `explore.folding.pareto` returns them.
        commands: what makes all of it again, a line each.
        provenance: further rows for the table of origins, nested as you like.

    Raises:
        IntaglioError: the images are not those of the evaluation, or the design was placed on
            another device.
        ModelError: the images have another shape than the graph's input.
        QuantizationError: there are no images, or not one label for each.
    """
    if evaluation is None and images is not None:
        evaluation = evaluate(graph, program, images, labels)
    facts = Facts(
        graph,
        program,
        evaluation,
        images,
        design,
        run,
        synthesis,
        commands,
        provenance or {},
        tuple(front),
    )
    sections = [section for make in SECTIONS if (section := make(facts)) is not None]
    figures = list(_figures(facts))
    title = _title(facts)
    foot = f"Made by Intaglio {version()}. This page is complete: it loads nothing."
    text = "\n".join([_text(title, figures), *program.notes])
    return Report(page(title, _head(facts, figures), sections, foot), text)


@dataclass(frozen=True)
class Figure:
    """A key figure of the page's head."""

    title: str
    value: str
    note: str = ""


def _title(facts: Facts) -> str:
    return facts.graph.name + ("" if facts.device is None else f" on {facts.device}")


def _figures(facts: Facts) -> Iterator[Figure]:
    """Yield the key figures that are known."""
    yield from _accuracy_figures(facts)
    run, design = facts.run, facts.design
    if run is not None:
        timing = "bits only" if run.stalled else f"{run.cycle_mismatches} cycles"
        different = f"{run.bit_mismatches} bits, {timing} different"
        yield Figure("Images simulated", number(run.images), different)
    if design is not None:
        yield Figure("Latency, cycles", number(design.cycles.latency), "first frame")
    if facts.interval is not None:
        yield Figure("Interval, cycles", number(facts.interval), "between frames")
    if facts.fps is not None:
        yield Figure("Frames per second", number(facts.fps), "clock / interval")
    if facts.synthesis is not None:
        yield Figure("Clock, MHz", number(facts.synthesis.placed.fmax_mhz, 1), "highest, placed")
    if facts.cells is not None:
        cells, how = facts.cells
        for kind in ("lut", "dsp", "bram"):
            of = "" if design is None else f"of {getattr(design.device, kind):,}, "
            yield Figure(CELLS[kind], number(getattr(cells, kind)), f"{of}{how}")


def _accuracy_figures(facts: Facts) -> Iterator[Figure]:
    evaluation = facts.evaluation
    if evaluation is None:
        return
    note = f"{evaluation.count:,} images"
    if evaluation.float_accuracy is not None:
        yield Figure("Float accuracy", percent(evaluation.float_accuracy, 2), note)
    if evaluation.integer_accuracy is not None:
        yield Figure("Integer accuracy", percent(evaluation.integer_accuracy, 2), note)
    elif evaluation.agreement is not None:
        yield Figure("Same prediction", percent(evaluation.agreement, 2), note)


def _text(title: str, figures: Sequence[Figure]) -> str:
    width = max((len(figure.title) for figure in figures), default=0)
    lines = [title]
    for figure in figures:
        note = f" ({figure.note})" if figure.note else ""
        lines.append(f"  {figure.title.ljust(width)}  {figure.value}{note}")
    return "\n".join(lines)


def _head(facts: Facts, figures: Sequence[Figure]) -> Html:
    graph, integers = facts.graph, facts.program.graph
    macs = sum(integers.macs(node) for node in integers.nodes)
    subtitle = f"{graph.parameters:,} parameters, {macs:,} MACs a frame"
    where = [] if facts.device is None else [" on ", element("strong", facts.device)]
    parts = [element("h1", graph.name), element("p", subtitle, *where, class_="subtitle")]
    parts += [element("p", note) for note in facts.program.notes]
    if figures:
        parts.append(element("dl", *map(_tile, figures), class_="tiles"))
    return join(parts)


def _tile(figure: Figure) -> Html:
    value = [figure.value]
    if figure.note:
        value.append(element("small", figure.note))
    return element("div", element("dt", figure.title), element("dd", *value))


def _provenance_section(facts: Facts) -> Section:
    origins: dict[str, Any] = {
        "intaglio": version(),
        "graph sha256": content_hash("graph", *pack(facts.graph)),
        "program sha256": content_hash("program", *pack(facts.program)),
    }
    if facts.synthesis is not None:
        origins |= facts.synthesis.tools
        origins["placer's seed"] = facts.synthesis.seed
        origins["bitstream sha256"] = facts.synthesis.bitstream_sha256
    origins |= dict(_flat(facts.provenance))
    rows = [Row([name, element("code", str(value))]) for name, value in origins.items()]
    body = table("What the figures were made from.", ("Origin", "Value"), rows, text=2)
    return Section("provenance", "Provenance", body)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{name}", str(value)


def _commands_section(facts: Facts) -> Section | None:
    if not facts.commands:
        return None
    text = element("p", "These commands make the page and all its figures again:")
    listing = element("pre", element("code", "\n".join(facts.commands)), tabindex="0")
    return Section("commands", "Make it again", join([text, listing]))


#: The page from top to bottom. A new section adds its line.
SECTIONS: tuple[Callable[[Facts], Section | None], ...] = (
    accuracy_section,
    network_section,
    layers_section,
    values_section,
    occupancy_section,
    timeline_section,
    roofline_section,
    comparison_section,
    device_section,
    floor_section,
    front_section,
    _provenance_section,
    _commands_section,
)
