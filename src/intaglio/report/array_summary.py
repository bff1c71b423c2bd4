# SPDX-License-Identifier: Apache-2.0
"""A design with a systolic array as a short table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from intaglio.arch.systolic.design import ArrayDesign
from intaglio.report.summary import aligned


def array_document(design: ArrayDesign) -> dict[str, Any]:
    """Return a design's figures as JSON types."""
    sizes = asdict(design.array)
    sizes["dataflows"] = sorted(flow.short for flow in design.array.dataflows)
    return {
        "device": design.device.name,
        "array": sizes,
        "memory": asdict(design.memory),
        "cycles": design.prediction.total,
        "multipliers": design.array.multipliers,
        "utilization": round(design.utilization, 4),
        "layers": [
            {**asdict(layer), "dataflow": design.flows[layer.name].short}
            for layer in design.prediction.layers
        ],
    }


def array_text(design: ArrayDesign) -> str:
    """Return a design as a table, a line a layer."""
    rows: list[tuple[str, ...]] = [
        ("layer", "dataflow", "cycles", "array at work", "waits for loads", "other")
    ]
    for layer in design.prediction.layers:
        rows.append(
            (
                layer.name,
                design.flows[layer.name].short,
                *(f"{count:,}" for count in (layer.total, layer.compute, layer.load, layer.other)),
            )
        )
    total = design.prediction.total
    layers = design.prediction.layers
    sums = [sum(getattr(layer, name) for layer in layers) for name in ("compute", "load", "other")]
    rows.append(("total", "", f"{total:,}", *(f"{count:,}" for count in sums)))
    array = design.array
    head = (
        f"{array.rows} x {array.columns} cells, {design.utilization:.1%} of their cycles useful; "
        f"{design.device.name}, memory port of {array.beat_bits} bits"
    )
    return "\n".join((head, *aligned(rows)))
