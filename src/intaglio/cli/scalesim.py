# SPDX-License-Identifier: Apache-2.0
"""`intaglio scalesim -c CFG -t TOPOLOGY.csv`: what SCALE-Sim 3.0.0 reports, much faster."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from intaglio.cli.outcome import Outcome
from intaglio.flow import ScaleSimReport, scalesim
from intaglio.flow.profiles import profiles, profiles_document, profiles_text
from intaglio.scalesim.topology import KINDS, read_topology

HELP = "report what SCALE-Sim 3.0.0 reports of layers on a systolic array, number for number"
#: Where the tool puts its results if nothing is said.
RESULTS = Path("results")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: the tool's own letters."""
    parser.add_argument(
        "-c", dest="config", type=Path, required=True, metavar="CFG", help="the machine"
    )
    parser.add_argument(
        "-t", dest="topology", type=Path, required=True, metavar="CSV", help="the layers"
    )
    parser.add_argument(
        "-i", dest="kind", choices=KINDS, default=KINDS[0], help="what the layers are"
    )
    parser.add_argument(
        "-l", dest="layout", type=Path, metavar="CSV", help="a layout; nothing in it is used"
    )
    parser.add_argument(
        "-p",
        dest="output",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help=f"gets a folder of the run's name (default {RESULTS})",
    )
    parser.add_argument(
        "--traces", action="store_true", help="also write the traces of every layer"
    )
    parser.add_argument(
        "--profile",
        choices=("scalesim", "rtl"),
        default="scalesim",
        help="rtl also prints what the array in RTL takes, and why that differs",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Run the layers and write the reports."""
    found = scalesim(
        arguments.config,
        arguments.topology,
        kind=arguments.kind,
        layout=arguments.layout,
        output=arguments.output,
        traces=arguments.traces,
    )
    folder = arguments.output / found.config.run_name
    document: dict[str, Any] = {
        "folder": str(folder),
        "total_cycles": found.total_cycles,
        "layers": [asdict(row) for row in found.rows],
    }
    text = f"{_table(found)}\n{folder}"
    if arguments.profile == "rtl":
        layers = read_topology(arguments.topology, arguments.kind)
        both = [
            profiles(layer, row, found.config)
            for layer, row in zip(layers, found.rows, strict=True)
        ]
        document["profiles"] = profiles_document(both)
        text += f"\n\n{profiles_text(both)}"
    return Outcome(text, document)


def _table(found: ScaleSimReport) -> str:
    width = max(5, *(len(row.name) for row in found.rows))
    lines = [
        f"{'layer':<{width}} {'cycles':>14} {'stalls':>12} {'util %':>7} "
        f"{'DRAM reads':>14} {'DRAM writes':>14}"
    ]
    for row in found.rows:
        lines.append(
            f"{row.name:<{width}} {row.total_cycles:>14,} {row.stall_cycles:>12,} "
            f"{row.overall_util_pct:>7.2f} {row.dram_ifmap_reads + row.dram_filter_reads:>14,} "
            f"{row.dram_ofmap_writes:>14,}"
        )
    return "\n".join([*lines, f"{'total':<{width}} {found.total_cycles:>14,}"])
