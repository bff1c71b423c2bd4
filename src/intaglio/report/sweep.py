# SPDX-License-Identifier: Apache-2.0
"""Accuracy against bits, as a table, as CSV and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from intaglio.quantize.sweep import Point
from intaglio.report.summary import aligned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Figures that are fractions, printed in percent.
FRACTIONS = ("accuracy", "agreement")
_WIDTH, _HEIGHT = 12.0, 4.0
_DPI = 120


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same figures as aligned text."""
    names = list(rows[0])
    cells = (tuple(_cell(n, row[n]) for n in names) for row in rows)
    return "\n".join(aligned([tuple(names), *cells]))


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows of the same figures as CSV; what there is none of is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def picture(points: Sequence[Point], floats: float | None, mixed: Point | None = None) -> bytes:
    """Draw what is reached against bits of weights, size and products, as PNG.

    The axis is accuracy, agreement with the float network without labels, and else decibels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    figure_name = _figure(points)
    axes = figure.subplots(1, 3, sharey=True)
    sides: Sequence[tuple[str, Callable[[Point], float], str]] = (
        ("bits of weights", lambda p: p.weights, "linear"),
        ("size of weights, KiB", lambda p: p.cost.size / 8192, "log"),
        ("products of bits a frame, millions", lambda p: p.cost.macs / 1e6, "log"),
    )
    for axis, (label, place, scale) in zip(axes, sides, strict=True):
        for name, members in lines(points).items():
            line = sorted(members, key=place)
            heights = [_height(p, figure_name) for p in line]
            axis.plot([place(p) for p in line], heights, marker="o", markersize=3, label=name)
        if mixed is not None:
            own = [_height(mixed, figure_name)]
            if label != "bits of weights":
                axis.plot([place(mixed)], own, "k*", markersize=10, label="mixed")
        _finish(axis, label, scale, floats if figure_name == "accuracy" else None)
    axes[0].set_ylabel("dB" if figure_name == "sqnr_db" else f"{figure_name}, %")
    axes[-1].legend(title="activations", fontsize="small")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return stream.getvalue()


def lines(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of each line: those of as many bits of activations, or, where these are
    always as many as those of weights, all.
    """  # noqa: D205
    if all(p.activations == p.weights for p in points):
        return {"as weights": list(points)}
    found = sorted({p.activations for p in points}, reverse=True)
    return {f"{bits}": [p for p in points if p.activations == bits] for bits in found}


def _figure(points: Sequence[Point]) -> str:
    """Return the figure that all points have."""
    for name in FRACTIONS:
        if all(getattr(p.measured, name) is not None for p in points):
            return name
    return "sqnr_db"


def _height(point: Point, name: str) -> float:
    value = getattr(point.measured, name)
    return float("nan") if value is None else float(value * (100 if name in FRACTIONS else 1))


def _finish(axis: Axes, label: str, scale: str, floats: float | None) -> None:
    axis.set_xlabel(label)
    if scale == "log":
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
    axis.grid(visible=True, linewidth=0.3)
    if floats is not None:
        axis.axhline(100 * floats, color="gray", linestyle="--", linewidth=0.8, label="float")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name in FRACTIONS:
        return f"{value:.2%}"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
