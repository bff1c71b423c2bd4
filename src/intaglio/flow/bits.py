# SPDX-License-Identifier: Apache-2.0
"""How few bits will do: a network measured at many widths, layer by layer, and as a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.artifact import write_atomic, write_json
from intaglio.ir.graph import Graph
from intaglio.quantize.cost import INTERVAL
from intaglio.quantize.ledger import ledger
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.scheme_file import to_document
from intaglio.quantize.seen import fingerprints, seen_before, seen_warning
from intaglio.quantize.sweep import (
    FINE,
    POST_TRAINING,
    Make,
    Mixture,
    Point,
    Sensitivity,
    Study,
    measure_all,
    mixture,
    sensitivities,
)
from intaglio.report.sweep import as_csv, picture, table

#: Where measurements are kept in a sweep's folder.
LEDGER = "sweep.sqlite"


@dataclass(frozen=True)
class Sweep:
    """What a sweep found: points of whole networks, layers alone, and the mixture in a budget.

    `layers` are empty and `mixed` is None where they were not asked for.
    """

    scheme: Scheme
    images: int
    float_accuracy: float | None
    points: tuple[Point, ...]
    layers: tuple[Sensitivity, ...] = ()
    mixed: Mixture | None = None
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Print a table of each kind of measurements."""
        parts = [f"warning: {text}" for text in self.warnings]
        if self.float_accuracy is not None:
            parts.append(f"float accuracy {self.float_accuracy:.2%} on {self.images} images")
        parts.append(table([point.row() for point in self.points]))
        if self.layers:
            parts.append(table([layer.row() for layer in self.layers]))
        if self.mixed is not None:
            parts.append(table([self.mixed.row()]))
        return "\n\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON types."""
        return {
            "scheme": str(self.scheme),
            "images": self.images,
            "float_accuracy": self.float_accuracy,
            "points": [point.row() for point in self.points],
            "layers": [layer.row() for layer in self.layers],
            "mixed": None if self.mixed is None else self.mixed.to_json(),
            "warnings": list(self.warnings),
        }

    def write(self, folder: Path) -> None:
        """Write tables, a picture, and the mixture as a scheme; each whole or not at all."""
        mixed = None if self.mixed is None else self.mixed.point
        shown = picture(self.points, self.float_accuracy, mixed)
        write_atomic(folder / "sweep.png", shown)
        write_atomic(folder / "sweep.csv", as_csv([point.row() for point in self.points]))
        if self.layers:
            write_atomic(folder / "layers.csv", as_csv([layer.row() for layer in self.layers]))
        if mixed is not None:
            write_json(folder / "mixed.json", to_document(mixed.scheme))
        write_json(folder / "sweep.json", self.to_json())


def sweep(
    graph: Graph,
    calibration: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    scheme: Scheme | None = None,
    weights: Sequence[int] = range(FINE, 0, -1),
    activations: Sequence[int] | None = range(FINE, 0, -1),
    layers: bool = False,
    budget: tuple[str, float] | None = None,
    interval: int = INTERVAL,
    folder: Path | None = None,
    make: Make = quantize,
    method: str = POST_TRAINING,
    progress: bool = True,
) -> Sweep:
    """Measure a network's accuracy with weights and activations of so many bits.

    Shapes: calibration and images [N, *frame] in the source model's axis order, labels [N].

    Args:
        graph: the float network.
        calibration: what it is quantised with.
        images: what it is measured on.
        labels: their classes; without them the float network's answers are what counts.
        scheme: all but the widths; `w8a8` where none is given.
        weights: bits of weights.
        activations: bits of activations, each with each of the weights; None for the same bits.
        layers: measure each layer alone, too.
        budget: of `size`, `macs` or `luts`: choose the bits of each layer within it.
        interval: cycles a frame for which `luts` are counted.
        folder: where measurements are kept as they come, so that a sweep goes on.
        make: what makes a scheme's program, of the name `method`; by default quantising.
        method: the name under which measurements are kept.
        progress: show bars.

    Raises:
        QuantizationError: a width cannot be, or the budget is less than the fewest bits cost.
    """
    scheme = scheme or Scheme.named("w8a8")
    pairs = [(w, w) for w in weights] if activations is None else product(weights, activations)
    with ledger(None if folder is None else folder / LEDGER) as kept:
        study = Study(graph, calibration, images, labels, kept, interval, method, make)
        points = measure_all(study, scheme, pairs, progress=progress)
        found, mixed = [], None
        if layers or budget is not None:
            others = weights if activations is None else activations
            found = sensitivities(study, scheme, weights, others, progress=progress)
        if budget is not None:
            mixed = mixture(study, scheme, found, budget)
        seen = seen_before(fingerprints(graph.frames(calibration)), graph.frames(images))
        warnings = (seen_warning(seen, len(images)),) if seen else ()
        floats = study.float_accuracy
    return Sweep(scheme, len(images), floats, tuple(points), tuple(found), mixed, warnings)
