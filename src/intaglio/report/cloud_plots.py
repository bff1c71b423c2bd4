# SPDX-License-Identifier: Apache-2.0
"""Pictures of what renting costs: cost against time, runs over prices, and how policies compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intaglio.plan.market import Market
from intaglio.plan.money import MICRO
from intaglio.plan.schedule import Stint
from intaglio.report.plots import PALETTE, drawn_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _ACCENT, _WARN, _BAND = PALETTE


def curve_png(hours: Sequence[float], costs: Sequence[float], chosen: tuple[float, float]) -> bytes:
    """Return a PNG file of the least cost, in dollars, for every deadline, and the one chosen."""

    def draw(axes: Axes) -> None:
        axes.plot(hours, costs, color=_ACCENT, linewidth=1, drawstyle="steps-post")
        axes.plot(*chosen, color=_WARN, marker="D", markersize=6, linestyle="none")
        axes.annotate("chosen", chosen, (8, 5), textcoords="offset points", color=_WARN)
        axes.set_ylim(0, max(costs) * 1.08)
        axes.set_xlabel("hours until the job is done")
        axes.set_ylabel("least cost in dollars")

    return drawn_png(draw, (5.6, 3.2), (0.75, 0.5, 0.15, 0.1))


def gantt_png(market: Market, stints: Sequence[Stint], *, since: int = 0) -> bytes:
    """Return a PNG file of a run: what was rented when, and above it the prices of those modes.

    A price has a gap where the machine is not there. Stints count from `since` seconds before the
    market on.
    """
    used = sorted({stint.mode for stint in stints})
    hours = np.arange(market.slots) * market.slot / 3600

    def draw(axes: Axes) -> None:
        from matplotlib import colormaps

        colors = {
            mode: colormaps["viridis"](0.9 * k / max(1, len(used) - 1))
            for k, mode in enumerate(used)
        }
        axes.set_axis_off()
        above = axes.inset_axes((0, 0.5, 1, 0.5))
        below = axes.inset_axes((0, 0, 1, 0.42), sharex=above)
        for mode in used:
            price = np.where(market.there[:, mode], market.paid[:, mode] / MICRO, np.nan)
            above.step(hours, price, where="post", color=colors[mode], linewidth=1)
        for stint in stints:
            row = used.index(stint.mode)
            width = (stint.end - stint.begin) / 3600
            below.barh(
                row, width, left=(stint.begin - since) / 3600, height=0.6, color=colors[stint.mode]
            )
        above.set_yscale("log")
        above.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        above.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if value in _TICKS else "")
        above.tick_params(labelbottom=False)
        above.set_ylabel("dollars an hour")
        below.set_yticks(range(len(used)), [str(market.modes[mode]) for mode in used])
        below.set_ylim(len(used) - 0.5, -0.5)
        below.set_xlim(0, 1.02 * (max(stint.end for stint in stints) - since) / 3600)
        below.set_axisbelow(True)
        below.set_xlabel("hours")
        below.grid(axis="x", color=_BAND, linewidth=0.6)

    return drawn_png(draw, (7.2, 2.6 + 0.22 * len(used)), (1.95, 0.5, 0.15, 0.12))


_TICKS = {m * 10.0**e for m in (2, 5) for e in range(-3, 3)}


def ratios_png(names: Sequence[str], ratios: Sequence[np.ndarray]) -> bytes:
    """Return a PNG file of cost over the optimum: for each policy every start, and the median."""

    def draw(axes: Axes) -> None:
        for row, values in enumerate(ratios):
            spread = row + 0.26 * np.sin(np.arange(len(values)) * 2.4)
            axes.plot(
                values,
                spread,
                color=_ACCENT,
                marker="o",
                markersize=2.5,
                linestyle="none",
                alpha=0.5,
            )
            axes.vlines(np.median(values), row - 0.38, row + 0.38, color=_WARN, linewidth=1.8)
        axes.axvline(1, color=_INK, linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xscale("log")
        for which in ("set_major_formatter", "set_minor_formatter"):
            getattr(axes.xaxis, which)(lambda value, _: f"{value:g}")
        axes.set_xlabel("cost over the optimum; a dot for each start, a line for the median")

    return drawn_png(draw, (6.4, 0.8 + 0.42 * len(names)), (1.3, 0.5, 0.15, 0.1))


def slack_png(
    slacks: Sequence[float], names: Sequence[str], medians: np.ndarray, worst: np.ndarray
) -> bytes:
    """Return a PNG file of cost against time: the optimum and each policy, median and worst.

    Shapes: medians, worst [names, slacks], as shares of the cost of the largest size throughout.
    """

    def draw(axes: Axes) -> None:
        from matplotlib import colormaps

        extra = [100 * slack for slack in slacks]
        for row, name in enumerate(names):
            color = (
                _INK
                if row == 0
                else colormaps["viridis"](0.95 * (row - 1) / max(1, len(names) - 2))
            )
            axes.plot(
                extra,
                100 * medians[row],
                color=color,
                linewidth=1.2,
                marker="o",
                markersize=3,
                label=name,
            )
            axes.plot(extra, 100 * worst[row], color=color, linewidth=0.7, linestyle=(0, (2, 2)))
        axes.set_ylim(0, None)
        axes.set_xlabel("percent more time than the largest size throughout")
        axes.set_ylabel("percent of its cost")
        axes.legend(frameon=False, fontsize=7)

    return drawn_png(draw, (6.4, 3.6), (0.65, 0.5, 0.15, 0.1))
