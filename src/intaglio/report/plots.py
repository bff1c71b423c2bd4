# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG to stand inside a page, in the page's own colors and without any text from models.

Figures are drawn by matplotlib without its global state. Colors are the page's CSS variables, so a
plot follows the page into the dark and onto paper; letters are drawn as paths.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from intaglio.report.html import Html, escape

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
_USE = re.compile(r'\bhref="#([^"]+)"|\burl\(#([^)]+)\)')
_ID = re.compile(r' id="([^"]+)"')
_BREAK = re.compile(r"\s*\n\s*")
_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", re.DOTALL)


def histogram(
    counts: np.ndarray,
    edges: np.ndarray,
    low: float,
    high: float,
    *,
    name: str,
    description: str,
) -> Html:
    """Draw how often values occur, and the range low..high that the integers reach.

    Bins outside the range are drawn in the color of warnings. No other plot of a page may have the
    same `name`; `description` is read out instead of the plot.

    Shapes: counts [B], edges [B + 1].
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

    return _svg(draw, (2.9, 1.55), (0.36, 0.22, 0.08, 0.05), name, description)


def utilization(
    kinds: Sequence[str],
    used: Sequence[int],
    capacity: Sequence[int],
    estimated: Sequence[int] | None,
    *,
    name: str,
    description: str,
) -> Html:
    """Draw a bar for each kind of cell: the part of the device in use, beside the estimate.

    `name` and `description` are as for `histogram`.
    """

    def draw(axes: Axes) -> None:
        places = np.arange(len(kinds), dtype=np.float64)
        shares = _shares(used, capacity)
        axes.barh(places, 1.0, height=0.56, color=_BAND)
        colors = [_WARN if share > 1 else _ACCENT for share in shares]
        axes.barh(places, shares, height=0.56, color=colors)
        edge = max(1.0, *shares)
        if estimated is not None:
            guess = _shares(estimated, capacity)
            edge = max(edge, *guess)
            axes.vlines(guess, places - 0.4, places + 0.4, color=_INK, linewidth=1.4)
        for place, share, count, bound in zip(places.tolist(), shares, used, capacity, strict=True):
            text = f"{count:,} of {bound:,}   {share:.1%}"
            axes.text(edge + 0.015, place, text, va="center", ha="left")
        axes.set_yticks(places, kinds)
        axes.set_xlim(0, edge)
        axes.set_xticks(np.arange(0, edge + 1e-9, 0.25))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    size = 7.2, 0.38 * len(kinds) + 0.25
    return _svg(draw, size, (0.75, 0.22, 1.95, 0.03), name, description)


def _shares(used: Sequence[int], capacity: Sequence[int]) -> list[float]:
    """Return the used part of each; something of nothing is all of it."""
    return [u / c if c else float(u > 0) for u, c in zip(used, capacity, strict=True)]


def _svg(
    draw: Callable[[Axes], None],
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
    name: str,
    description: str,
) -> Html:
    """Draw on fresh axes and return what stands in a page.

    Units: inches; margins are those on the left, below, on the right and above.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        (width, height), (left, bottom, right, top) = size, margins
        across, up = (width - left - right) / width, (height - bottom - top) / height
        axes = figure.add_axes((left / width, bottom / height, across, up))
        draw(axes)
        stream = io.StringIO()
        plain = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(stream, format="svg", metadata=plain, transparent=True)
    return _inline(stream.getvalue(), name, description)


@contextmanager
def _style() -> Iterator[None]:
    """Draw with our settings alone, whatever the user's own file says, and put those back."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def _inline(svg: str, name: str, description: str) -> Html:
    """Turn an SVG file into an element of a page: names made unique, colors the page's."""
    opening, _, drawing = svg[svg.index("<svg") :].partition(">")
    box = opening.partition('viewBox="')[2].partition('"')[0]
    drawing = _LEFT_OUT.sub("", drawing).replace("xlink:href", "href")
    used = {first or second for first, second in _USE.findall(drawing)}
    drawing = _ID.sub(lambda found: found[0] if found[1] in used else "", drawing)
    for before in (' id="', ' href="#', "url(#"):
        drawing = drawing.replace(before, f"{before}{name}-")
    for color, variable in _COLORS.items():
        drawing = drawing.replace(color, variable)
    drawing = _BREAK.sub("\n", drawing).strip()
    return Html(f'<svg viewBox="{box}" role="img" aria-label="{escape(description)}">{drawing}')
