# SPDX-License-Identifier: Apache-2.0
"""Weights and activations of few bits, down to one, as designs: every bit as the program has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.ir.graph import Graph
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Override, Scheme
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from tests.quantize.networks import separable, small, uniform

SCHEMES = {
    "binary": Scheme(weights="s1", activations="u1", weight_estimator="mse", estimator="mse"),
    "mixed": Scheme(
        weights="s1", activations="u2", layers=(Override("f*", weights="s3", activations="u5"),)
    ),
    "affine": replace(Scheme.named("affine8"), weights="u3", activations="u3"),
    "codebook": replace(Scheme.named("codebook4"), weights="s2"),
    "vitis": Scheme.named("vitis"),
}


@pytest.mark.parametrize(
    ("graph", "name"), [*((small(3), name) for name in SCHEMES), (separable(3), "binary")]
)
def test_few_bits_give_every_bit_at_the_predicted_cycle(
    graph: Graph, name: str, runtime: Path, tmp_path: Path
) -> None:
    images = uniform(5, 6, 6, 6, 2)
    program = quantize(graph, images, SCHEMES[name])
    target = device("ecp5-85f")
    design = dataflow(program, target, best_throughput(program, target, 0.1).folds)
    frames = program.quantize_input(images)
    bundle = emit(design, tmp_path / "bundle", frames[:1])
    run = simulate(
        bundle, frames, stalls=Stalls(0.3, 0.4), runtime=runtime, optimize="-O0", progress=False
    )
    assert run.images == len(frames)
    assert run.bit_mismatches == run.cycle_mismatches == 0
