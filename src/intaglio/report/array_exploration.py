# SPDX-License-Identifier: Apache-2.0
"""What a search for the best array found, as a table, as JSON, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from intaglio.artifact import write_atomic
from intaglio.explore.array_candidates import ArrayExploration, Candidate
from intaglio.report.array_summary import array_document, array_text
from intaglio.report.front import require_ending
from intaglio.report.plots import front_png, heat_map_png
from intaglio.report.summary import aligned

_BUFFERS = ("act_rows", "weight_words", "parameter_words", "sum_rows")
_COLUMNS = ("rows", "columns", "dataflow", "cycles", "multipliers", "bram", "traffic_bits")


def exploration_text(found: ArrayExploration) -> str:
    """Return the best array, its layers, and what comes next to it."""
    array = found.best.array
    sizes = ", ".join(f"{name} {getattr(array, name):,}" for name in _BUFFERS)
    bits = f"{array.act_bits}-bit activations, {array.weight_bits}-bit weights"
    codes = f" as {array.code_bits}-bit codes" if array.code_bits else ""
    lines = [array_text(found.best), f"{sizes}; {bits}{codes}, {array.sum_bits}-bit sums"]
    if found.runners_up:
        rows: list[tuple[str, ...]] = [
            ("next best", "dataflow", "cycles", "more", "multipliers", "bram", "bits moved")
        ]
        rows += [_row(one, found.best.prediction.total) for one in found.runners_up]
        lines += ["", *aligned(rows)]
    lines.append(
        f"proven best: {found.evaluated:,} arrays predicted, {found.bounded:,} left out by bounds"
    )
    if found.front:
        lines.append(
            f"front: {len(found.front):,} arrays of which none is as good as another in cycles, "
            "multipliers, block RAMs and bits moved"
        )
    return "\n".join(lines)


def _row(one: Candidate, best: int) -> tuple[str, ...]:
    cycles, multipliers, bram, traffic = one.costs
    return (
        f"{one.array.rows} x {one.array.columns}",
        one.dataflow,
        f"{cycles:,}",
        f"{cycles / best - 1:.1%}",
        *(f"{count:,}" for count in (multipliers, bram, traffic)),
    )


def exploration_document(found: ArrayExploration) -> dict[str, Any]:
    """Return the same as JSON types, with the front."""
    return {
        **array_document(found.best),
        "runners_up": [_with_flows(one) for one in found.runners_up],
        "front": [_with_flows(one) for one in found.front],
        "evaluated": found.evaluated,
        "bounded": found.bounded,
    }


def _with_flows(one: Candidate) -> dict[str, Any]:
    return {**_fields(one), "flows": {name: flow.short for name, flow in one.flows.items()}}


def _fields(one: Candidate) -> dict[str, Any]:
    sizes = one.array.rows, one.array.columns, one.dataflow
    fields = dict(zip(_COLUMNS, (*sizes, *one.costs), strict=True))
    return {**fields, **{name: getattr(one.array, name) for name in _BUFFERS}}


def save_array_front(path: Path, found: ArrayExploration) -> None:
    """Write the front as a table (.csv) or a picture with the best array marked (.png).

    Raises:
        IntaglioError: the file's name ends otherwise.
    """
    if require_ending(path).suffix == ".csv":
        rows = [_fields(one) for one in found.front]
        lines = [",".join((*_COLUMNS, *_BUFFERS)), *(",".join(map(str, r.values())) for r in rows)]
        write_atomic(path, ("\n".join(lines) + "\n").encode())
        return
    points = [(one.array.multipliers, one.cycles) for one in found.front]
    chosen = found.best.array.multipliers, found.best.prediction.total
    multipliers, cycles = zip(*points, strict=True)
    write_atomic(path, front_png(multipliers, cycles, chosen))


def save_heat_map(path: Path, found: ArrayExploration) -> None:
    """Write a picture of the cycles that each shape takes at least, with the best one marked."""
    rows, columns = (max(side) for side in zip(*found.least, strict=True))
    values = np.full((rows, columns), np.nan)
    for (r, c), least in found.least.items():
        values[r - 1, c - 1] = least
    best = found.best.array
    label = "cycles a frame, at least"
    write_atomic(path, heat_map_png(values, (best.rows, best.columns), label=label))
