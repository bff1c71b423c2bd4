# SPDX-License-Identifier: Apache-2.0
"""A network on a systolic array: SCALE-Sim's cycles, those foretold, and Verilator's, by layer.

    .venv/bin/python benchmarks/prove_arrays.py PROGRAM --data DATA --output FOLDER [-n 16]
        [--array 8x8] [--dataflows ws is os] [--device ecp5-85f] [--act-rows 8192]

Every output bit of every image is compared with the program, every instruction's cycle with the
one foretold. SCALE-Sim knows convolutions and products of matrices alone: other layers have no
number there. Its images have their padding, which it cannot express otherwise.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import intaglio as ig
from intaglio.arch.systolic.layers import Layer
from intaglio.arch.systolic.schedule import UNITS
from intaglio.flow.samples import read_samples
from intaglio.ops.store import load_program
from intaglio.report.summary import aligned
from intaglio.scalesim.dataflow import Placement
from intaglio.scalesim.topology import Layer as SimulatedLayer
from intaglio.tools.array_simulation import array_harness, run_frames, simulate_array
from intaglio.tools.verilator import build


def main() -> None:
    """Print a table for each dataflow."""
    arguments = _arguments()
    program = load_program(arguments.program)
    frames = program.quantize_input(read_samples(arguments.data).first(arguments.count).images)
    rows, columns = map(int, arguments.array.split("x"))
    for flow in map(ig.Dataflow.parse, arguments.dataflows):
        array = ig.Array(rows, columns, frozenset({flow}), act_rows=arguments.act_rows)
        design = ig.ArrayDesign.of(program, ig.device(arguments.device), array)
        bundle = ig.emit(design, arguments.output / f"{program.graph.name}_{flow.short}")
        run = simulate_array(bundle, design, frames)
        bench = build(
            bundle,
            bundle.folder.with_name(bundle.folder.name + ".sim"),
            harness=array_harness(design),
        )
        (frame,) = run_frames(bench, design, frames[:1], design.memory)
        stores = frame.done[UNITS.index(UNITS[-1])]
        ends = [0, *(int(stores[count - 1]) for count in design.schedule.ends)]
        table: list[tuple[str, ...]] = [
            ("layer", "scalesim", "foretold", "Verilator", "array at work")
        ]
        for layer, cycles, (low, high) in zip(
            design.network.layers, design.prediction.layers, pairwise(ends), strict=True
        ):
            simulated = _scalesim(layer, flow.short, rows, columns)
            table.append(
                (
                    layer.name,
                    "" if simulated is None else f"{simulated:,}",
                    *(f"{number:,}" for number in (cycles.total, high - low, cycles.compute)),
                )
            )
        print(f"\n{program.graph.name}, {arguments.array}, {flow.short}: {run}")
        print("\n".join(aligned(table)))
        print(f"total: foretold {design.prediction.total:,}, Verilator {ends[-1]:,}", flush=True)


def _scalesim(layer: Layer, flow: str, rows: int, columns: int) -> int | None:
    """Return the cycles SCALE-Sim counts without stalls, or None where it knows no such layer."""
    term = layer.terms[0]
    if len(layer.terms) > 1 or term.groups > 1:
        return None
    filters, kernel_rows, kernel_columns, channels = term.weight.shape
    height, width = (
        (out - 1) * stride + (kernel - 1) * dilation + 1
        for out, stride, kernel, dilation in zip(
            layer.shape[:2], term.stride, (kernel_rows, kernel_columns), term.dilation, strict=True
        )
    )
    window = kernel_rows, kernel_columns, channels, filters
    simulated = SimulatedLayer(layer.name, height, width, *window, *term.stride)
    placement = Placement.of(simulated, flow, rows, columns, sparse=False)
    return placement.folds * placement.lines


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("program", type=Path, metavar="PROGRAM")
    parser.add_argument("--data", required=True, metavar="DATA")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("-n", dest="count", type=int, default=16)
    parser.add_argument("--array", default="8x8", metavar="RxC")
    parser.add_argument("--dataflows", nargs="+", default=["ws", "is", "os"])
    parser.add_argument("--device", default="ecp5-85f")
    parser.add_argument("--act-rows", type=int, default=8192)
    return parser.parse_args()


if __name__ == "__main__":
    main()
