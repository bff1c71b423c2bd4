# SPDX-License-Identifier: Apache-2.0
"""The numbers of each layer, and the files in which SCALE-Sim reports them, digit for digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

COMPUTE, BANDWIDTH = "COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv"
ACCESS, SPARSE = "DETAILED_ACCESS_REPORT.csv", "SPARSE_REPORT.csv"


@dataclass(frozen=True)
class Storage:
    """What a sparse filter takes: words, words of positions among them, and these a cycle."""

    original: int
    new: int | float
    metadata: int | float
    bandwidth: float


@dataclass(frozen=True)
class Row:
    """What SCALE-Sim reports of a layer.

    Units: percent, words a cycle, cycles (negative before the first line), words.
    """

    name: str
    total_cycles_incl_prefetch: int
    total_cycles: int
    stall_cycles: int
    overall_util_pct: float
    mapping_efficiency_pct: float
    compute_util_pct: float
    avg_ifmap_sram_bw: float
    avg_filter_sram_bw: float
    avg_ofmap_sram_bw: float
    avg_ifmap_dram_bw: float
    avg_filter_dram_bw: float
    avg_ofmap_dram_bw: float
    sram_ifmap_start_cycle: int
    sram_ifmap_stop_cycle: int
    sram_ifmap_reads: int | float
    sram_filter_start_cycle: int
    sram_filter_stop_cycle: int
    sram_filter_reads: int
    sram_ofmap_start_cycle: int
    sram_ofmap_stop_cycle: int
    sram_ofmap_writes: int
    dram_ifmap_start_cycle: int
    dram_ifmap_stop_cycle: int
    dram_ifmap_reads: int
    dram_filter_start_cycle: int
    dram_filter_stop_cycle: int
    dram_filter_reads: int
    dram_ofmap_start_cycle: int
    dram_ofmap_stop_cycle: int
    dram_ofmap_writes: int
    storage: Storage | None = None


#: Headings of the files and the numbers below them.
COMPUTE_COLUMNS = (
    ("Total Cycles (incl. prefetch)", "total_cycles_incl_prefetch"),
    ("Total Cycles", "total_cycles"),
    ("Stall Cycles", "stall_cycles"),
    ("Overall Util %", "overall_util_pct"),
    ("Mapping Efficiency %", "mapping_efficiency_pct"),
    ("Compute Util %", "compute_util_pct"),
)
BANDWIDTH_COLUMNS = (
    ("Avg IFMAP SRAM BW", "avg_ifmap_sram_bw"),
    ("Avg FILTER SRAM BW", "avg_filter_sram_bw"),
    ("Avg OFMAP SRAM BW", "avg_ofmap_sram_bw"),
    ("Avg IFMAP DRAM BW", "avg_ifmap_dram_bw"),
    ("Avg FILTER DRAM BW", "avg_filter_dram_bw"),
    ("Avg OFMAP DRAM BW", "avg_ofmap_dram_bw"),
)
METADATA_COLUMN = ("Avg FILTER Metadata SRAM BW", "bandwidth")
STORAGE_COLUMNS = (
    ("Original Filter Storage", "original"),
    ("New Storage (Filter+Metadata)", "new"),
    ("Filter Metadata Storage", "metadata"),
    METADATA_COLUMN,
)
ACCESS_COLUMNS = tuple(
    (f"{memory} {operand} {what}", f"{memory}_{operand}_{what}".lower().replace(" ", "_"))
    for memory in ("SRAM", "DRAM")
    for operand, access in (("IFMAP", "Reads"), ("Filter", "Reads"), ("OFMAP", "Writes"))
    for what in ("Start Cycle", "Stop Cycle", access)
)


def report_files(rows: Sequence[Row], representation: str) -> dict[str, str]:
    """Return the text of each report by its file's name.

    Args:
        rows: of all layers.
        representation: of sparse filters; of no meaning where there are none.
    """
    bandwidth = list(BANDWIDTH_COLUMNS)
    files = {
        COMPUTE: _table([t for t, _ in COMPUTE_COLUMNS], rows, _picker(COMPUTE_COLUMNS)),
        ACCESS: _table([t for t, _ in ACCESS_COLUMNS], rows, _accesses),
    }
    pick = _picker(BANDWIDTH_COLUMNS)
    if not rows or rows[0].storage is None:
        files[BANDWIDTH] = _table([title for title, _ in bandwidth], rows, pick)
        return files
    titles = [title for title, _ in bandwidth]
    titles.insert(2, METADATA_COLUMN[0])
    files[BANDWIDTH] = _table(titles, rows, lambda row: _with_metadata(row, pick(row)))
    storage = _picker(STORAGE_COLUMNS)
    files[SPARSE] = _table(
        ["Sparsity Representation", *(title for title, _ in STORAGE_COLUMNS)],
        rows,
        lambda row: [representation, *storage(row.storage)],
        end=" ",
    )
    return files


def _picker(columns: Sequence[tuple[str, str]]) -> Callable[[Any], list[Any]]:
    return lambda row: [getattr(row, name) for _, name in columns]


def _accesses(row: Row) -> list[Any]:
    """Return the accesses; the tool has cycles in floats and words in integers."""
    return [
        float(getattr(row, name)) if name.endswith("cycle") else getattr(row, name)
        for _, name in ACCESS_COLUMNS
    ]


def _with_metadata(row: Row, values: list[Any]) -> list[Any]:
    return [*values[:2], row.storage and row.storage.bandwidth, *values[2:]]


def _table(
    titles: Sequence[str], rows: Sequence[Row], values: Callable[[Row], list[Any]], end: str = ""
) -> str:
    """Return a CSV file: every line ends in a comma, as the tool's do."""
    lines = [f"LayerID, {', '.join(titles)},{end}"]
    for number, row in enumerate(rows):
        lines.append(f"{number}, {', '.join(map(str, values(row)))},")
    return "\n".join([*lines, ""])
