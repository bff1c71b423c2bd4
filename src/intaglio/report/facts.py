# SPDX-License-Identifier: Apache-2.0
"""What a page is made from, and the few figures that several of its sections show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from intaglio.arch.design import Design, Instance
from intaglio.errors import IntaglioError
from intaglio.explore.folding import Folding
from intaglio.hw.cost import Resources
from intaglio.ir.graph import Graph, Program
from intaglio.quantize.accuracy import Evaluation
from intaglio.tools.simulation import Run
from intaglio.tools.synthesis import Synthesis


@dataclass(frozen=True)
class Facts:
    """All that is known about a network; what is None has not been done.

    Shapes: images [N, *frame] in the source model's axis order, those of the evaluation.

    Raises:
        IntaglioError: the images are not as many as those of the evaluation, or the design was
            placed on another device.
    """

    graph: Graph
    program: Program
    evaluation: Evaluation | None
    images: np.ndarray | None
    design: Design | None
    run: Run | None
    synthesis: Synthesis | None
    commands: Sequence[str]
    provenance: Mapping[str, Any]
    front: Sequence[Folding] = ()

    def __post_init__(self) -> None:
        count = None if self.evaluation is None else self.evaluation.count
        if self.images is not None and count not in (None, len(self.images)):
            raise IntaglioError(
                f"the images of a report must be the {count} of its evaluation, "
                f"not {len(self.images)}: give those it was made from"
            )
        design, synthesis = self.design, self.synthesis
        if design is not None and synthesis is not None and synthesis.device != design.device.name:
            raise IntaglioError(
                f"the synthesis of a report must be for its design's {design.device.name}, "
                f"not {synthesis.device}: synthesize that design's bundle"
            )

    @property
    def device(self) -> str | None:
        """Name of the device."""
        if self.design is not None:
            return self.design.device.name
        return None if self.synthesis is None else self.synthesis.device

    @cached_property
    def interval(self) -> int | None:
        """Cycles between frames in the steady state."""
        if self.design is not None:
            return self.design.cycles.interval
        return None if self.run is None else self.run.interval_simulated

    @cached_property
    def fps(self) -> float | None:
        """Frames a second at the placed design's highest clock."""
        if self.synthesis is None or self.interval is None:
            return None
        return self.synthesis.placed.fmax_mhz * 1e6 / self.interval

    @property
    def cells(self) -> tuple[Resources, str] | None:
        """Cells of the whole design and how they are known: placed, or else estimated."""
        if self.synthesis is not None:
            placed = self.synthesis.placed
            return Resources(placed.lut, placed.ff, placed.dsp, placed.bram), "placed"
        return None if self.design is None else (self.design.resources, "estimated")


def busy(instance: Instance, interval: int) -> float:
    """Return the part of the cycles in which a unit does work that counts.

    For a unit with multipliers those in which a multiplier does a MAC of the network; for others
    those in which the unit passes a slot.
    """
    unit = instance.unit
    if unit.multipliers:
        return unit.macs / (unit.multipliers * interval)
    return unit.interval / interval
