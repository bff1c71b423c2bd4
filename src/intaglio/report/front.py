# SPDX-License-Identifier: Apache-2.0
"""The Pareto front of a program on a device: how fast for how much, in the page or as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intaglio.arch.design import Design
from intaglio.artifact import write_atomic
from intaglio.devices.description import Device
from intaglio.errors import IntaglioError
from intaglio.explore.folding import Folding
from intaglio.hw.cost import Resources
from intaglio.report.facts import Facts
from intaglio.report.html import Row, Section, element, join, number, percent, table
from intaglio.report.plots import tradeoff, tradeoff_png

#: Kinds of file that `save_front` writes.
ENDINGS = (".csv", ".png")
#: Clock that frames per second are reckoned with where nothing is placed.
CLOCK_MHZ = 100.0
_KINDS = ("lut", "ff", "dsp", "bram")


def share(cells: Resources, device: Device) -> float:
    """Return the mean part of the device that cells take, over the kinds the device has."""
    parts = [
        getattr(cells, kind) / getattr(device, kind) for kind in _KINDS if getattr(device, kind)
    ]
    return sum(parts) / len(parts)


def require_ending(path: Path) -> Path:
    """Return a path that `save_front` can write.

    Raises:
        IntaglioError: its name ends otherwise.
    """
    if path.suffix not in ENDINGS:
        raise IntaglioError(
            f"a file for a Pareto front must end in {' or '.join(ENDINGS)}, not be {path.name!r}"
        )
    return path


def save_front(path: Path, front: Sequence[Folding], design: Design, clock_mhz: float) -> None:
    """Write a front as a table (.csv) or a picture with a design marked (.png).

    Raises:
        IntaglioError: the file's name ends otherwise.
    """
    if require_ending(path).suffix == ".csv":
        write_atomic(path, front_csv(front, design.device, clock_mhz).encode())
        return
    write_atomic(path, tradeoff_png(*_points(front, design)))


def front_csv(front: Sequence[Folding], device: Device, clock_mhz: float) -> str:
    """Return a front as comma-separated values, a line a folding."""
    lines = [",".join(("interval_cycles", "frames_per_second", "share", *_KINDS))]
    for folding in front:
        cells = [str(getattr(folding.resources, kind)) for kind in _KINDS]
        fps = f"{clock_mhz * 1e6 / folding.interval:.1f}"
        part = f"{share(folding.resources, device):.5f}"
        lines.append(",".join((str(folding.interval), fps, part, *cells)))
    return "\n".join(lines) + "\n"


def _points(
    front: Sequence[Folding], design: Design
) -> tuple[list[float], list[int], tuple[float, int]]:
    shares = [share(folding.resources, design.device) for folding in front]
    chosen = share(design.resources, design.device), design.cycles.interval
    return shares, [folding.interval for folding in front], chosen


def front_section(facts: Facts) -> Section | None:
    """Return the front with the design marked on it; needs both."""
    design, front = facts.design, facts.front
    if design is None or not front:
        return None
    shares, intervals, chosen = _points(front, design)
    plot = tradeoff(
        shares,
        intervals,
        chosen,
        name="front",
        description=(
            f"{len(front)} foldings from {intervals[0]:,} cycles a frame at {shares[0]:.1%} of the "
            f"device to {intervals[-1]:,} at {shares[-1]:.1%}; chosen: {chosen[1]:,}"
        ),
    )
    text = (
        "Foldings of which none is both slower and larger than another, by the exact search with "
        "estimated cells; the design of this page, marked, with its buffers. Share: the mean of "
        "the parts of the device's kinds of cells."
    )
    clock = CLOCK_MHZ if facts.synthesis is None else facts.synthesis.placed.fmax_mhz
    columns = ("Interval", f"Frames/s at {clock:.1f} MHz", "Share", "LUT", "FF", "DSP", "BRAM")
    rows = [
        _row(interval, part, folding.resources, clock)
        for interval, part, folding in zip(intervals, shares, front, strict=True)
    ]
    rows.append(_row(chosen[1], chosen[0], design.resources, clock, "total"))
    body = [element("p", text), element("figure", plot, class_="wide")]
    caption = "The foldings of the front. The last row is the design of this page."
    body.append(table(caption, columns, rows, text=0))
    return Section("front", "Speed against size", join(body))


def _row(interval: int, part: float, cells: Resources, clock: float, mark: str = "") -> Row:
    counts = [number(getattr(cells, kind)) for kind in _KINDS]
    return Row([number(interval), number(clock * 1e6 / interval), percent(part), *counts], mark)
