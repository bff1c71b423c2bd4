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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from intaglio.report.html import Html, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure

#: What matplotlib draws in, a light page's colors, and what the page then reads instead.
_INK, _ACCENT, _WARN, _BAND = "#1b2328", "#0b6e75", "#b23c17", "#dcecee"
_COLORS = {
    _INK: "var(--ink)",
    _ACCENT: "var(--accent)",
    _WARN: "var(--warn)",
    _BAND: "var(--band)",
}
#: The same for drawings of other modules: ink, accent, warning, band.
PALETTE = (_INK, _ACCENT, _WARN, _BAND)
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
            if estimated is not None:
                text += f"\nestimated {estimated[int(place)]:,}"
            axes.text(edge + 0.015, place, text, va="center", ha="left")
        axes.set_yticks(places, kinds)
        axes.set_xlim(0, edge)
        axes.set_xticks(np.arange(0, edge + 1e-9, 0.25))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    size = 7.2, (0.38 if estimated is None else 0.46) * len(kinds) + 0.25
    return _svg(draw, size, (0.75, 0.22, 1.95, 0.03), name, description)


def tradeoff(
    shares: Sequence[float],
    intervals: Sequence[int],
    chosen: tuple[float, int],
    *,
    name: str,
    description: str,
) -> Html:
    """Draw what designs take of a device against their cycles a frame, and the one chosen.

    `name` and `description` are as for `histogram`.
    """
    return _svg(_tradeoff(shares, intervals, chosen), *_TRADEOFF, name, description)


def tradeoff_png(
    shares: Sequence[float], intervals: Sequence[int], chosen: tuple[float, int]
) -> bytes:
    """Return the same as a PNG file."""
    return _png(_tradeoff(shares, intervals, chosen), *_TRADEOFF)


_TRADEOFF = (5.6, 3.2), (0.85, 0.5, 0.15, 0.1)


def _tradeoff(
    shares: Sequence[float], intervals: Sequence[int], chosen: tuple[float, int]
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        axes.set_yscale("log")
        axes.plot(shares, intervals, color=_ACCENT, linewidth=0.8, marker="o", markersize=3.5)
        axes.plot(*chosen, color=_WARN, marker="D", markersize=6.5, linestyle="none")
        axes.annotate("chosen", chosen, (8, 5), textcoords="offset points", color=_WARN)
        edge = max(*shares, chosen[0])
        axes.set_xlim(0, edge * 1.12)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
        axes.set_xlabel("mean share of the device's kinds of cells")
        axes.set_ylabel("cycles between frames")
        _plain_decades(axes)

    return draw


def front_png(multipliers: Sequence[int], cycles: Sequence[int], chosen: tuple[int, int]) -> bytes:
    """Return a PNG file of arrays: their multipliers against their cycles, and the one chosen."""

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import LogLocator

        axes.set_yscale("log")
        axes.plot(multipliers, cycles, color=_ACCENT, marker="o", markersize=3.5, linestyle="none")
        axes.plot(*chosen, color=_WARN, marker="D", markersize=6.5, linestyle="none")
        axes.annotate(
            "fastest", chosen, (-8, 6), textcoords="offset points", color=_WARN, ha="right"
        )
        axes.set_xlim(0, max(*multipliers, chosen[0]) * 1.08)
        axes.set_xlabel("multipliers of the array")
        axes.set_ylabel("cycles a frame")
        _plain_decades(axes)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))

    return _png(draw, (5.6, 3.2), (0.85, 0.5, 0.15, 0.1))


def heat_map_png(values: np.ndarray, chosen: tuple[int, int], *, label: str) -> bytes:
    """Return a PNG file of a number for each shape of an array, and the shape chosen.

    Shapes: values [rows, columns], from 1 on, NaN where there is none; `chosen` rows, columns.
    """

    def draw(axes: Axes) -> None:
        from matplotlib.colors import LinearSegmentedColormap, LogNorm

        colors = LinearSegmentedColormap.from_list("page", [_ACCENT, _BAND])
        rows, columns = values.shape
        edges = np.arange(columns + 1) + 0.5, np.arange(rows + 1) + 0.5
        norm = LogNorm(float(np.nanmin(values)), float(np.nanmax(values)))
        mesh = axes.pcolormesh(*edges, values, cmap=colors, norm=norm, rasterized=True)
        axes.plot(chosen[1], chosen[0], color=_WARN, marker="D", markersize=5, linestyle="none")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 1 else "")
        axes.set_xlabel("columns")
        axes.set_ylabel("rows")
        bar = axes.figure.colorbar(mesh, ax=axes, pad=0.03)
        bar.outline.set_visible(False)
        bar.set_label(label)
        bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        bar.ax.yaxis.set_minor_formatter(lambda _value, _: "")

    return _png(draw, (5.8, 4.2), (0.55, 0.5, 0.7, 0.1))


@dataclass(frozen=True)
class Spot:
    """A point under a roof: MACs a byte without and with the weights, MACs a cycle, and its roof.

    `label` is written beside it; it must not come from a model.
    """

    label: str
    intensity: float
    with_weights: float
    reached: float
    roof: float


def roofline(
    layers: Sequence[Spot],
    whole: Spot,
    peak: float,
    bandwidth: float,
    *,
    name: str,
    description: str,
) -> Html:
    """Draw MACs a cycle against MACs a byte: the whole design under its roof, layers under theirs.

    `name` and `description` are as for `histogram`. Units: `peak` MACs a cycle, `bandwidth` bytes
    a cycle.
    """
    draw = _roofline(layers, whole, peak, bandwidth)
    return _svg(draw, (7.2, 3.8), (0.65, 0.5, 0.1, 0.08), name, description)


def roofline_png(layers: Sequence[Spot], whole: Spot, peak: float, bandwidth: float) -> bytes:
    """Return the picture of `roofline` as a PNG file."""
    return _png(_roofline(layers, whole, peak, bandwidth), (7.2, 3.8), (0.65, 0.5, 0.1, 0.1))


def _roofline(
    layers: Sequence[Spot], whole: Spot, peak: float, bandwidth: float
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        spots = [*layers, whole]
        low = min(s.with_weights for s in spots) / 2
        high = max(*(s.intensity for s in spots), peak / bandwidth) * 3
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(min(s.reached for s in spots) / 2, peak * 2)
        axes.plot(
            [low, peak / bandwidth, high],
            [low * bandwidth, peak, peak],
            color=_INK,
            linewidth=1.2,
        )
        for spot in spots:
            color = _WARN if spot is whole else _ACCENT
            marker = "D" if spot is whole else "o"
            x, y = spot.intensity, spot.reached
            axes.vlines(x, y, spot.roof, color=color, linewidth=0.8)
            axes.plot(x, spot.roof, color=color, marker="_", markersize=8)
            axes.plot([spot.with_weights, x], [y, y], color=color, linewidth=0.4, linestyle=":")
            axes.plot(spot.with_weights, y, color=color, marker=marker, markersize=4.5, mfc="none")
            axes.plot(x, y, color=color, marker=marker, markersize=4.5)
        _label(axes, spots)
        axes.set_xlabel("MACs a byte moved")
        axes.set_ylabel("MACs a cycle")
        _plain_decades(axes)

    return draw


def _label(axes: Axes, spots: Sequence[Spot]) -> None:
    """Write the label of each spot beside it, clear of its roof and of other labels."""
    taken: list[tuple[float, float]] = []
    for spot in spots:
        x, y = axes.transData.transform((spot.intensity, spot.reached)).tolist()
        for up in (-8, -17, 8, 17, -26, 26):
            if all(abs(x - a) > 18 or abs(y + up - b) >= 9 for a, b in taken):
                break
        taken.append((x, y + up))
        axes.annotate(
            spot.label,
            (spot.intensity, spot.reached),
            (5, up),
            textcoords="offset points",
            va="center",
        )


def _plain_decades(axes: Axes) -> None:
    """Print the numbers of logarithmic axes in full."""
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(
                lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"
            )
            axis.set_minor_formatter(lambda _value, _: "")


def drawn_png(
    draw: Callable[[Axes], None],
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
) -> bytes:
    """Return a PNG file of what `draw` draws on fresh axes, in the page's style.

    Units: inches; margins are those on the left, below, on the right and above.
    """
    return _png(draw, size, margins)


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

    plain = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with _style():
        figure = _drawn(draw, FigureCanvasSVG, size, margins)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=plain, transparent=True)
    return _inline(stream.getvalue(), name, description)


def _png(
    draw: Callable[[Axes], None],
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
) -> bytes:
    """Draw on fresh axes and return a file. Units: as for `_svg`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _style():
        figure = _drawn(draw, FigureCanvasAgg, size, margins)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=200, metadata={"Software": None})
    return stream.getvalue()


def _drawn(
    draw: Callable[[Axes], None],
    canvas: type[FigureCanvasBase],
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    canvas(figure)
    (width, height), (left, bottom, right, top) = size, margins
    across, up = (width - left - right) / width, (height - bottom - top) / height
    draw(figure.add_axes((left / width, bottom / height, across, up)))
    return figure


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
