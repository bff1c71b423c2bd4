# SPDX-License-Identifier: Apache-2.0
"""When each layer works on the first frames: a bar a process, a shade a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from intaglio.arch.design import Design
from intaglio.hw.timing import Span
from intaglio.report.facts import Facts
from intaglio.report.html import Html, Section, element, join, number
from intaglio.report.svg import box, drawing, fitted, path, ticks, words

#: Layers drawn, at most.
MOST = 80
#: Frames drawn, at least and at most: in between, as many as are in the design at one time.
FEWEST_FRAMES, MOST_FRAMES = 3, 6
SHADES = (1.0, 0.6, 0.3)
ROW, BAR = 24.0, 15.0
_NAME, _PLOT, _RIGHT = 190.0, 720.0, 30.0
_TOP = 44.0


def timeline_section(facts: Facts) -> Section | None:
    """Return the picture; needs a design."""
    design = facts.design
    if design is None:
        return None
    frames = _frames(design)
    activity = design.activity(frames)
    layers = [i.name for i in design.instances if i.name == i.node][:MOST]
    end = max(spans[-1].last for name in layers for spans in activity[name])
    text = (
        f"The first {frames} frames, by the exact timing: a bar reaches from the first to the last "
        "cycle in which a layer takes or gives something of a frame. A layer with a buffer has "
        "two: filling it above, working from it below."
    )
    height = _TOP + ROW * len(layers) + 24
    parts = [*_axis(end, height), *_legend(frames)]
    for index, name in enumerate(layers):
        parts += _row(index, name, activity[name], end)
    picture = drawing(
        _NAME + _PLOT + _RIGHT,
        height,
        parts,
        f"When {len(layers)} layers work on {frames} frames, in {number(end)} cycles",
    )
    return Section(
        "timeline", "Layer timeline", join([element("p", text), element("figure", picture)])
    )


def _frames(design: Design) -> int:
    """Return how many frames show the design filled."""
    inside = -(-design.cycles.latency // design.cycles.interval)
    return min(MOST_FRAMES, max(FEWEST_FRAMES, inside + 1))


def _axis(end: int, height: float) -> Iterator[Html]:
    for cycle in ticks(end, 8):
        x = _NAME + _PLOT * cycle / max(end, 1)
        yield path(f"M{x:.1f} {_TOP - 6:.0f}V{height - 18:.0f}", "rule")
        yield words(x, height - 5, number(cycle), "soft", anchor="middle")
    yield words(_NAME - 24, height - 5, "cycle", "soft", anchor="end")


def _legend(frames: int) -> Iterator[Html]:
    for index, shade in enumerate(SHADES):
        alike = range(index + 1, frames + 1, len(SHADES))
        x = _NAME + 110 * index
        yield box(x, 8, 14, 12, "fill", shade=shade)
        title = f"frame{'s' if len(alike) > 1 else ''} {' and '.join(map(str, alike))}"
        yield words(x + 19, 18, title, "soft")


def _row(index: int, name: str, processes: Sequence[Sequence[Span]], end: int) -> Iterator[Html]:
    y = _TOP + ROW * index
    yield words(0, y + 12, fitted(name, _NAME - 12), hint=name)
    height = BAR / len(processes)
    for number_, spans in enumerate(processes):
        for frame, span in enumerate(spans):
            yield box(
                _NAME + _PLOT * span.first / max(end, 1),
                y + height * number_,
                max(1.0, _PLOT * (span.last - span.first) / max(end, 1)),
                height - 0.5,
                "fill",
                hint=f"{name}, frame {frame + 1}: cycles {span.first:,} to {span.last:,}",
                shade=SHADES[frame % len(SHADES)],
            )
