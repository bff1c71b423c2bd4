# SPDX-License-Identifier: Apache-2.0
"""Networks that bring their quantizers along, as hardware of both architectures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.arch.systolic.array import Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.arch.systolic.layers import network as layers_of
from intaglio.devices import device
from intaglio.explore.array_kinds import kinds
from intaglio.explore.folding import best_throughput
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.relu import Relu
from intaglio.quantize.declared import integers
from intaglio.rtl.array_bundle import emit_array
from intaglio.rtl.bundle import emit
from intaglio.tools.array_simulation import simulate_array
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from tests.quantize.declared.networks import Network, network


@pytest.mark.parametrize(("seed", "dyadic"), [(1, True), (2, False)])
def test_random_networks_give_every_bit_at_the_predicted_cycle(
    seed: int, dyadic: bool, runtime: Path, tmp_path: Path
) -> None:
    program = integers(network(seed, dyadic=dyadic))
    target = device("ecp5-85f")
    design = dataflow(program, target, best_throughput(program, target, 0.1).folds)
    shape = program.graph.inputs[0].type.shape
    frames = np.random.default_rng(seed).integers(0, 16, (3, *shape))
    bundle = emit(design, tmp_path / "bundle", frames[:1])
    run = simulate(
        bundle, frames, stalls=Stalls(0.3, 0.4), runtime=runtime, optimize="-O0", progress=False
    )
    assert run.bit_mismatches == run.cycle_mismatches == 0


@pytest.mark.parametrize("flow", Dataflow)
def test_an_array_adds_what_is_finer_than_a_step_of_its_sums(
    flow: Dataflow, runtime: Path, tmp_path: Path
) -> None:
    net = Network(5, (7, 6, 2), dyadic=False)
    net.put(FakeQuantize((1 / 16,), 0, 0, 15))
    for _ in range(2):
        weight = net.weights(4, 2, 2, net.types[net.x].channels)
        net.put(Conv2d(padding=(1, 0, 0, 1)), weight=weight, bias=net.real(-2, 2, 4))
        net.put(BatchNorm(), scale=net.real(0.5, 3, 4), offset=net.real(-2, 2, 4))
        net.put(Relu())
        net.put(FakeQuantize((net.scale(),), 0, 0, 15))
    program = integers(net.finish(), exact=False)
    assert "requantize_affine" in {node.op.name for node in program.graph.nodes}
    array = replace(
        kinds(layers_of(program), 64)[0], rows=3, columns=4, dataflows=frozenset({flow})
    )
    assert array.remainders
    design = ArrayDesign.of(program, device("ecp5-85f"), array)
    frames = np.random.default_rng(0).integers(0, 16, (2, 7, 6, 2))
    bundle = emit_array(design, tmp_path / "bundle")
    run = simulate_array(bundle, design, frames, runtime=runtime, optimize="-O0", progress=False)
    assert run.bit_mismatches == run.cycle_mismatches == 0
