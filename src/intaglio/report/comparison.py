# SPDX-License-Identifier: Apache-2.0
"""What was predicted, what the simulation and the tools then found, and what that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from intaglio.arch.dataflow import capacity
from intaglio.hw.cost import Resources
from intaglio.report.facts import Facts
from intaglio.report.html import Html, Row, Section, element, join, number, percent, table
from intaglio.report.plots import utilization
from intaglio.report.summary import multiplier_busy

#: Kinds of cells by the name of their field, as the page calls them.
CELLS = {"lut": "LUT", "ff": "Flip-flops", "dsp": "DSP", "bram": "Block RAM"}


@dataclass(frozen=True)
class Comparison:
    """One quantity, predicted and found; None where it is not known.

    `netlist` is counted after synthesis, `placed` after place and route. A `fraction` is shown in
    percent.
    """

    quantity: str
    predicted: float | None = None
    simulated: float | None = None
    netlist: float | None = None
    placed: float | None = None
    fraction: bool = False

    @property
    def error(self) -> float | None:
        """The prediction against what was found last, relative to it."""
        found = self.simulated if self.placed is None else self.placed
        if self.predicted is None or found is None:
            return None
        if self.predicted == found:
            return 0.0
        return self.predicted / found - 1 if found else None


def comparisons(facts: Facts) -> list[Comparison]:
    """Return all quantities of which something is known."""
    rows = [*_times(facts), *_cells(facts)]
    return [row for row in rows if (row.predicted, row.simulated, row.placed) != (None,) * 3]


def _times(facts: Facts) -> Iterator[Comparison]:
    design, run = facts.design, facts.run
    if run is not None and not run.stalled:
        yield Comparison("Latency, cycles", run.latency_predicted, run.latency_simulated)
        # A single frame has a latency and nothing to measure an interval to.
        measured = run.interval_simulated if run.images > 1 else None
        yield Comparison("Interval, cycles", run.interval_predicted, measured)
    else:
        measured = None
        if design is not None:
            yield Comparison("Latency, cycles", design.cycles.latency)
            yield Comparison("Interval, cycles", design.cycles.interval)
    if design is not None and design.multipliers:
        part = multiplier_busy(design)
        found = None if measured is None else part * design.cycles.interval / measured
        yield Comparison("Multipliers busy at the bottleneck", part, found, fraction=True)


def _cells(facts: Facts) -> Iterator[Comparison]:
    estimated = None if facts.design is None else facts.design.resources
    synthesis = facts.synthesis
    for kind, title in CELLS.items():
        yield Comparison(
            title,
            None if estimated is None else getattr(estimated, kind),
            netlist=None if synthesis is None else getattr(synthesis.cells, kind),
            placed=None if synthesis is None else getattr(synthesis.placed, kind),
        )


def comparison_section(facts: Facts) -> Section | None:
    """Return predictions beside measurements; needs a simulation or a synthesis."""
    if facts.run is None and facts.synthesis is None:
        return None
    rows = [_row(row) for row in comparisons(facts)]
    columns = ("Quantity", "Predicted", "Simulated", "Netlist", "Placed", "Error")
    caption = (
        "What was predicted and what was found. Cycles are exact and must equal simulation; cells "
        "are estimates. Netlist: cells after synthesis. Error: the prediction against what was "
        "found last."
    )
    parts = [table(caption, columns, rows), element("ul", *_remarks(facts))]
    return Section("comparison", "Predicted, simulated, placed", join(parts))


def _row(row: Comparison) -> Row:
    figures = (row.predicted, row.simulated, row.netlist, row.placed)
    show = percent if row.fraction else number
    return Row([row.quantity, *map(show, figures), percent(row.error, sign=True)])


def _remarks(facts: Facts) -> Iterator[Html]:
    run, synthesis = facts.run, facts.synthesis
    if run is not None:
        timing = "0 cycles different in any frame" if run.cycle_mismatches == 0 else ""
        if run.stalled:
            timing = "random back-pressure on both streams, so cycles were not compared"
        elif run.cycle_mismatches:
            timing = f"{run.cycle_mismatches:,} cycles different"
        yield element(
            "li",
            f"Simulation: {run.images:,} images, {run.cycles:,} cycles, "
            f"{run.bit_mismatches:,} bits different from the integer program, {timing}.",
        )
    if synthesis is not None:
        placed = synthesis.placed
        yield element(
            "li",
            f"Clock: {placed.fmax_mhz:,.1f} MHz at most"
            + ("" if facts.fps is None else f", which makes {facts.fps:,.0f} frames/s"),
            *_critical(placed.critical_path),
        )


def _critical(path: str) -> Iterator[Html | str]:
    if path:
        yield ". Longest path: "
        yield element("code", path)
    yield "."


def device_section(facts: Facts) -> Section | None:
    """Return what the design takes of its device; needs a design."""
    if facts.design is None or facts.cells is None:
        return None
    device, (cells, how) = facts.design.device, facts.cells
    bound, estimate = capacity(device), facts.design.resources
    text = f"{device.part}, speed grade {device.speed}, package {device.package}. "
    if how == "placed":
        text += "Bars show what is placed, the upright lines what was estimated."
    else:
        text += "Bars show what is estimated; nothing is placed yet."
    plot = utilization(
        list(CELLS.values()),
        _counts(cells),
        _counts(bound),
        _counts(estimate) if how == "placed" else None,
        name="device",
        description=f"Parts of {device.name} in use: {_words(cells, bound)}",
    )
    figure = element("figure", plot, class_="wide")
    return Section("device", "Device utilization", join([element("p", text), figure]))


def _counts(cells: Resources) -> list[int]:
    return [getattr(cells, kind) for kind in CELLS]


def _words(cells: Resources, bound: Resources) -> str:
    """Say in words what the bars show."""
    return ", ".join(
        f"{title} {getattr(cells, kind):,} of {getattr(bound, kind):,}"
        for kind, title in CELLS.items()
    )
