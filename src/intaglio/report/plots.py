# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG to stand inside a page, in the page's own colors and without any text from models.

Figures are drawn by matplotlib without its global state. Colors are the page's CSS variables, so a
plot follows the page into the dark and onto paper; letters are drawn as paths.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What matplotlib is told to draw in, and what the page then reads instead.
_INK, _ACCENT, _WARN, _BAND = "#010203", "#020304", "#030405", "#040506"
_COLORS = {
    _INK: "var(--ink)",
    _ACCENT: "var(--accent)",
    _WARN: "var(--warn)",
    _BAND: "var(--band)",
}
_STYLE: dict[str, Any] = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "svg.fonttype": "path",
    "svg.hashsalt": "intaglio",
    "text.color": _INK,
    "xtick.color": _INK,
    "xtick.major.width": 0.6,
    "ytick.color": _INK,
    "ytick.major.width": 0.6,
}
_IDENTIFIER = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", re.DOTALL)
_OPENING = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]*)\"[^>]*>")


def histogram(
    counts: np.ndarray, edges: np.ndarray, low: float, high: float, description: str
) -> str:
    """Draw how often values occur, and the range low..high that the integers reach.

    Shapes: counts [B], edges [B + 1]. Bins outside the range are drawn in the color of warnings.
    """

    def draw(axes: Axes) -> None:
        outside = (edges[1:] <= low) | (edges[:-1] >= high)
        axes.axvspan(low, high, color=_BAND, linewidth=0)
        axes.stairs(np.where(outside, 0, counts), edges, fill=True, color=_ACCENT)
        axes.stairs(np.where(outside, counts, 0), edges, fill=True, color=_WARN)
        for bound in (low, high):
            axes.axvline(bound, color=_INK, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.set_yscale("symlog", linthresh=1)
        top = max(10.0, float(counts.max()) * 2)
        axes.set_ylim(0, top)
        decades = range(0, int(np.log10(top)) + 1, max(1, int(np.log10(top)) // 3))
        axes.set_yticks([10.0**decade for decade in decades])
        axes.minorticks_off()
        margin = 0.03 * (edges[-1] - edges[0])
        axes.set_xlim(edges[0] - margin, edges[-1] + margin)
        axes.locator_params(axis="x", nbins=5)

    return _svg(draw, (2.9, 1.5), description)


def utilization(
    names: Sequence[str],
    used: Sequence[int],
    capacity: Sequence[int],
    estimated: Sequence[int] | None,
    description: str,
) -> str:
    """Draw a bar for each kind of cell: the part of the device in use, beside the estimate."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(names))
        shares = _shares(used, capacity)
        axes.barh(places, 1.0, height=0.56, color=_BAND)
        colors = [_WARN if share > 1 else _ACCENT for share in shares]
        axes.barh(places, shares, height=0.56, color=colors)
        if estimated is not None:
            guess = _shares(estimated, capacity)
            axes.vlines(guess, places - 0.4, places + 0.4, color=_INK, linewidth=1.4)
        edge = max(1.0, *shares)
        for place, share, count, bound in zip(places, shares, used, capacity, strict=True):
            text = f"{count:,} of {bound:,}   {share:.1%}"
            axes.text(edge + 0.015, place, text, va="center", ha="left")
        axes.set_yticks(places, names)
        axes.set_xlim(0, edge)
        axes.set_xticks(np.arange(0, edge + 1e-9, 0.25))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    return _svg(draw, (7.6, 0.44 * len(names) + 0.4), description, right=0.74)


def _shares(used: Sequence[int], capacity: Sequence[int]) -> list[float]:
    """Return the used part of each; something of nothing is all of it."""
    return [u / c if c else float(u > 0) for u, c in zip(used, capacity, strict=True)]


def _svg(
    draw: Callable[[Axes], None], size: tuple[float, float], description: str, right: float = 0.98
) -> str:
    """Draw on fresh axes and return what stands in a page."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.0, 0.0, right, 1.0))
        draw(axes)
        stream = io.StringIO()
        plain = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(
            stream,
            format="svg",
            metadata=plain,
            transparent=True,
            bbox_inches="tight",
            pad_inches=0.03,
        )
    return _inline(stream.getvalue(), description)


@contextmanager
def _style() -> Iterator[None]:
    """Draw with our settings alone, whatever the user's own file says, and put those back."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def _inline(svg: str, description: str) -> str:
    """Turn an SVG file into an element of a page: names made unique, colors the page's."""
    start = _OPENING.search(svg)
    assert start is not None, "matplotlib writes a viewBox"
    drawing = _LEFT_OUT.sub("", svg[start.end() :])
    prefix = f"p{hashlib.sha256(svg.encode()).hexdigest()[:10]}-"
    drawing = _IDENTIFIER.sub(lambda found: found[1] + prefix, drawing)
    drawing = drawing.replace("xlink:href", "href")
    for color, variable in _COLORS.items():
        drawing = drawing.replace(color, variable)
    drawing = re.sub(r"\s*\n\s*", "\n", drawing)
    label = re.sub(r'[<>&"]', " ", description)
    return f'<svg viewBox="{start[1]}" role="img" aria-label="{label}">{drawing.strip()}'
