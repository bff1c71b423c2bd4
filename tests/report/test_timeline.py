# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from intaglio.report.timeline import FEWEST_FRAMES, MOST_FRAMES, timeline_section
from tests.report.pages import Page, design
from tests.report.test_facts import NOTHING


def page() -> Page:
    section = timeline_section(replace(NOTHING, design=design()))
    assert section is not None
    return Page(section.body)


def test_a_bar_stands_for_every_process_of_every_layer_in_every_frame() -> None:
    made, found = design(), page()
    layers = [i for i in made.instances if i.name == i.node]
    frames = int(found.texts["p"][0].split()[2])
    assert FEWEST_FRAMES <= frames <= MOST_FRAMES
    activity = made.activity(frames)
    hints = [title for title in found.texts["title"] if "cycles" in title]
    assert hints == [
        f"{layer.name}, frame {frame + 1}: cycles {span.first:,} to {span.last:,}"
        for layer in layers
        for spans in activity[layer.name]
        for frame, span in enumerate(spans)
    ]


def test_bars_lie_by_their_cycles() -> None:
    made, found = design(), page()
    bars = found.named("rect")[3:]  # behind the three of the legend
    frames = int(found.texts["p"][0].split()[2])
    activity = made.activity(frames)
    layers = [i.name for i in made.instances if i.name == i.node]
    spans = [span for name in layers for row in activity[name] for span in row]
    end = max(span.last for span in spans)
    for bar, span in zip(bars, spans, strict=True):
        assert abs(float(str(bar["x"])) - (190 + 720 * span.first / end)) <= 0.05
    layer_names = [text for text in found.texts["text"] if text in layers]
    assert layer_names == layers
    assert found.texts["text"][-len(layers) - 1] == "frame 3"


def test_it_needs_a_design() -> None:
    assert timeline_section(NOTHING) is None
