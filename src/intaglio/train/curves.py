# SPDX-License-Identifier: Apache-2.0
"""Loss and accuracy over the epochs as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from intaglio.artifact import write_atomic


def draw_curves(path: Path, title: str, history: Sequence[Mapping[str, float]]) -> None:
    """Write a PNG with the loss of each epoch and, where it was watched, the accuracy."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    names = [name for name in ("loss", "accuracy") if any(name in one for one in history)]
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        points = [(one["epoch"], one[name]) for one in history if name in one]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss" if name == "loss" else name)
        axes.grid(visible=True, alpha=0.3)
    with io.BytesIO() as stream:
        figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
        write_atomic(path, stream.getvalue())
