# SPDX-License-Identifier: Apache-2.0
"""A run's folder: written beside its place, then put there, so that no half of one is ever seen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from intaglio.scalesim.config import Config
from intaglio.scalesim.dataflow import Placement
from intaglio.scalesim.topology import Layer


def write_folder(
    folder: Path, files: Mapping[str, str], config: Config, traced: Sequence[Layer]
) -> None:
    """Write reports, and traces in a folder for each layer; other files there are left alone.

    Args:
        folder: where to; it and those above it are made.
        files: the text of each report.
        config: the machine, for the traces.
        traced: the layers to trace, in order.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    if beside.exists():
        shutil.rmtree(beside)  # of a process of the same number that was killed
    beside.mkdir()
    try:
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8")
        if traced:
            _trace(beside, config, traced)
        if not folder.exists():
            beside.rename(folder)
            return
        for path in sorted(beside.rglob("*")):
            place = folder / path.relative_to(beside)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                path.replace(place)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def _trace(folder: Path, config: Config, layers: Sequence[Layer]) -> None:
    from intaglio.scalesim.traces import write_traces

    placed = [
        Placement.of(layer, config.dataflow, config.rows, config.columns, sparse=config.sparse)
        for layer in layers
    ]
    total = sum(placement.folds * placement.lines for placement in placed)
    with tqdm(total=total, desc="traces", leave=False, delay=2, unit="line") as bar:
        for number, layer in enumerate(layers):
            write_traces(folder / f"layer{number}", layer, config, bar.update)
