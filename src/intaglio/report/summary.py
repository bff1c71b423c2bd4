# SPDX-License-Identifier: Apache-2.0
"""Designs and placements as short tables and as JSON: what the commands print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intaglio.arch.design import Design, Instance
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.hw.cost import Resources
from intaglio.tools.synthesis import Synthesis


def multiplier_busy(design: Design) -> float:
    """Return the share of multiplier cycles that do a MAC, at the slowest multiplying unit."""
    units = [instance.unit for instance in design.instances if instance.unit.multipliers]
    if not units:
        return 0.0
    slowest = max(units, key=lambda unit: unit.interval)
    return slowest.macs / (slowest.multipliers * design.cycles.interval)


def _products(design: Design, instance: Instance) -> str:
    """Return what a unit's products are made of, or nothing where it has none."""
    return str(design.folds[instance.node].products) if instance.unit.multipliers else ""


def design_document(design: Design) -> dict[str, Any]:
    """Return a design's figures as JSON types."""
    return {
        "device": design.device.name,
        "latency_cycles": design.cycles.latency,
        "interval_cycles": design.cycles.interval,
        "multipliers": design.multipliers,
        "multiplier_busy": round(multiplier_busy(design), 4),
        "bottleneck": design.bottleneck.name,
        "estimated": design.resources.counts,
        "units": [
            {
                "name": instance.name,
                "module": instance.unit.module,
                "multipliers": instance.unit.multipliers,
                "products": _products(design, instance),
                "interval_cycles": instance.unit.interval,
                "estimated": instance.unit.resources.on(design.device).counts,
            }
            for instance in design.instances
        ],
    }


def design_text(design: Design) -> str:
    """Return a design as a table, a line a unit."""
    rows: list[tuple[str, ...]] = [
        ("unit", "module", "mult", "of", "interval", "LUT", "FF", "DSP", "BRAM")
    ]
    for instance in design.instances:
        unit, cost = instance.unit, instance.unit.resources.on(design.device)
        mark = " <" if instance is design.bottleneck else ""
        rows.append(
            (
                instance.name,
                unit.module,
                str(unit.multipliers or ""),
                _products(design, instance),
                f"{unit.interval:,}{mark}",
                *map(str, (cost.lut, cost.ff, cost.dsp, cost.bram)),
            )
        )
    total = design.resources
    rows.append(
        (
            "total",
            "",
            str(design.multipliers),
            "",
            f"{design.cycles.interval:,}",
            *map(str, (total.lut, total.ff, total.dsp, total.bram)),
        )
    )
    head = (
        f"{design.graph.name} on {design.device.name}: a frame every {design.cycles.interval:,} "
        f"cycles, latency {design.cycles.latency:,}; multipliers busy "
        f"{multiplier_busy(design):.1%} at the bottleneck"
    )
    return "\n".join([head, *aligned(rows)])


def placed_resources(synthesis: Synthesis) -> Resources:
    """Return what was placed."""
    placed = synthesis.placed
    return Resources(placed.lut, placed.ff, placed.dsp, placed.bram)


def synthesis_document(design: Design | ArrayDesign, synthesis: Synthesis) -> dict[str, Any]:
    """Return the placed figures beside the estimates, as JSON types."""
    placed = placed_resources(synthesis)
    fmax = synthesis.placed.fmax_mhz
    return {
        "device": synthesis.device,
        "estimated": design.resources.counts,
        "placed": placed.counts,
        "error": errors(design.resources, placed),
        "fmax_mhz": fmax,
        "fps": fmax * 1e6 / design.cycles.interval,
        "note": synthesis.placed.note,
        "bitstream": synthesis.bitstream,
        "seconds": dict(synthesis.seconds),
        "tools": dict(synthesis.tools),
    }


def synthesis_text(design: Design | ArrayDesign, synthesis: Synthesis) -> str:
    """Return the placed figures beside the estimates as a table."""
    placed, wanted = placed_resources(synthesis), design.resources
    error = errors(wanted, placed)
    rows: list[Sequence[str]] = [("", "estimated", "placed", "error", "device")]
    for kind in ("lut", "ff", "dsp", "bram"):
        share = "" if error[kind] is None else f"{error[kind]:+.1%}"
        cells = (getattr(wanted, kind), getattr(placed, kind), getattr(design.device, kind))
        rows.append((kind.upper(), f"{cells[0]:,}", f"{cells[1]:,}", share, f"{cells[2]:,}"))
    fmax = synthesis.placed.fmax_mhz
    fps = fmax * 1e6 / design.cycles.interval
    speed = f"{fmax:.1f} MHz, {fps:,.0f} frames a second; bitstream {synthesis.bitstream}"
    note = [synthesis.placed.note] if synthesis.placed.note else []
    return "\n".join([*aligned(rows), speed, *note])


def errors(estimated: Resources, placed: Resources) -> dict[str, float | None]:
    """Return how far each estimate is off, as a share of what was placed."""
    found = {}
    for kind, real in placed.counts.items():
        found[kind] = round(getattr(estimated, kind) / real - 1, 4) if real else None
    return found


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out in columns: text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if _numeric(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _numeric(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:1] in "+-"
