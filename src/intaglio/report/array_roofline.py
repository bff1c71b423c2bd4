# SPDX-License-Identifier: Apache-2.0
"""Roofline of a systolic array: what each layer reaches of what cells and memory port can.

Source: Williams, Waterman, Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", CACM 52(4), 2009. Bytes are those that pass the memory port, weights and
all, repeated loads as often as they come.
"""

from __future__ import annotations

from pathlib import Path

from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.instructions import Load, Store
from intaglio.artifact import write_atomic
from intaglio.report.plots import Spot, roofline_png


def moved_beats(design: ArrayDesign) -> list[int]:
    """Return the beats that each layer loads and stores."""
    schedule = design.schedule
    found = [0] * len(schedule.ends)
    layer = stores = 0
    for item in schedule.order:
        if isinstance(item, Load | Store):
            found[layer] += item.beats
        if isinstance(item, Store):
            stores += 1
            layer += stores == schedule.ends[layer]
    return found


def roofline_spots(design: ArrayDesign) -> tuple[list[Spot], Spot]:
    """Return a spot for each layer, numbered from 1, and one for the whole network."""
    beat = design.array.beat_bits / 8
    cells, bandwidth = float(design.array.multipliers), beat / design.memory.read_gap
    layers = design.prediction.layers
    beats = moved_beats(design)
    numbered = [
        (str(number), layer.macs, count * beat, layer.total)
        for number, (layer, count) in enumerate(zip(layers, beats, strict=True), 1)
    ]
    whole = ("all", sum(one[1] for one in numbered), sum(beats) * beat, design.prediction.total)
    spots = [
        Spot(label, macs / moved, macs / moved, macs / cycles, min(cells, bandwidth * macs / moved))
        for label, macs, moved, cycles in (*numbered, whole)
    ]
    return spots[:-1], spots[-1]


def save_roofline(path: Path, design: ArrayDesign) -> None:
    """Write the picture."""
    layers, whole = roofline_spots(design)
    bandwidth = design.array.beat_bits / 8 / design.memory.read_gap
    write_atomic(path, roofline_png(layers, whole, design.array.multipliers, bandwidth))
