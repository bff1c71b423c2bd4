# SPDX-License-Identifier: Apache-2.0
"""Float networks, quantised, as designs: the RTL gives what the program computes, to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.ir.graph import Graph
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from tests.quantize.networks import growing, separable, uniform


@pytest.mark.parametrize("graph", [separable(), growing()], ids=["separable", "growing"])
@pytest.mark.parametrize("scheme", ["int8", "pow2"])
def test_a_quantized_network_gives_every_bit_at_the_predicted_cycle(
    graph: Graph, scheme: str, runtime: Path, tmp_path: Path
) -> None:
    images = uniform(5, 8, *graph.inputs[0].type.shape)
    program = quantize(graph, images, Scheme.named(scheme))
    target = device("ecp5-85f")
    design = dataflow(program, target, best_throughput(program, target).folds)
    frames = program.quantize_input(images)
    bundle = emit(design, tmp_path / "bundle", frames[:1])
    for stalls in (None, Stalls(0.3, 0.4)):
        run = simulate(
            bundle, frames, stalls=stalls, runtime=runtime, optimize="-O0", progress=False
        )
        assert run.images == len(frames)
        assert run.bit_mismatches == run.cycle_mismatches == 0
