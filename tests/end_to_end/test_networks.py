# SPDX-License-Identifier: Apache-2.0
"""Five families of networks at 8, 4 and 2 bits, as `explore` folds them: every bit, every cycle.

They are scaled down; `benchmarks/prove_networks.py` does the same with those of full size.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intaglio.devices import device
from intaglio.flow import explore
from intaglio.ir.execute import run_program
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from tests.end_to_end.small_networks import SMALL_NETWORKS
from tests.quantize.networks import uniform

IMAGES = 16
#: Multipliers that would be busy in every cycle: designs so small are compiled in seconds.
MULTIPLIERS = 16
CLOCK_MHZ = 100.0


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("name", SMALL_NETWORKS)
def test_a_network_gives_every_bit_at_the_predicted_cycle(
    name: str, bits: int, runtime: Path, tmp_path: Path
) -> None:
    graph = SMALL_NETWORKS[name]()
    images = uniform(5, IMAGES, *graph.inputs[0].type.shape)
    program = quantize(graph, images, Scheme(f"s{bits}n", f"u{bits}"))
    frames = program.quantize_input(images)
    results = run_program(program, images).reshape(IMAGES, -1)
    assert len(np.unique(results, axis=0)) > 1  # equal results would prove little
    macs = sum(program.graph.macs(node) for node in program.graph.nodes)
    fps = CLOCK_MHZ * 1e6 * MULTIPLIERS / macs
    design = explore(program, device("ecp5-85f"), target_fps=fps, clock_mhz=CLOCK_MHZ).best
    bundle = emit(design, tmp_path / "bundle", frames[:1])
    run = simulate(bundle, frames, runtime=runtime, optimize="-O0", progress=False)
    assert run.images == IMAGES
    assert run.bit_mismatches == run.cycle_mismatches == 0
    assert run.interval_simulated == run.interval_predicted == design.cycles.interval
