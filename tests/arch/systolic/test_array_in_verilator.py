# SPDX-License-Identifier: Apache-2.0
"""Random networks on random arrays in Verilator: every bit, and every instruction's cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.devices import device
from intaglio.ir.constant import Constant
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.rtl.array_bundle import emit_array
from intaglio.tools.array_simulation import simulate_array
from tests.arch.systolic.networks import Case, cases
from tests.strategies import Sketch

#: Each has one to eight layers and is run with three memories, so that `make test` proves about a
#: hundred layers on arrays; the nightly profile proves some thousands.
EXAMPLES = max(8, settings.default.max_examples // 12)  # type: ignore[union-attr]


@settings(max_examples=EXAMPLES)
@given(case=cases())
def test_bits_and_cycles_are_those_foretold(case: Case, tmp_path_factory: object) -> None:
    folder: Path = tmp_path_factory.mktemp("array")  # type: ignore[attr-defined]
    bundle = emit_array(case.design, folder / "bundle")
    for memory in case.memories:
        run = simulate_array(
            bundle,
            case.design,
            case.frames,
            memory=memory,
            runtime=folder.parent / "verilator_runtime",
            optimize="-O0",
            progress=False,
        )
        assert run.bit_mismatches == run.cycle_mismatches == 0
        assert run.latency_simulated == run.latency_predicted > 0


@pytest.mark.parametrize("flow", list(Dataflow))
@pytest.mark.parametrize("channels", [1, 2])
def test_a_layer_reads_all_channels_that_a_reshape_makes(
    channels: int, flow: Dataflow, tmp_path: Path, runtime: Path
) -> None:
    sketch = Sketch(TensorType((1, 4, channels), IntType.parse("u8")))
    for inputs, outputs in ((channels, channels), (4 * channels, 3)):
        weight = np.arange(1, outputs * inputs + 1).reshape(outputs, 1, 1, inputs)
        bias = Constant.integers(np.zeros(outputs, np.int64))
        sketch.put(Conv2d(), weight=Constant(weight, IntType(8, signed=True)), bias=bias)
        sketch.put(
            Requantize(8, 0, IntType.parse("u8")), multiplier=Constant.integers(np.array([17]))
        )
        sketch.put(Reshape((1, 1, sketch.type.size)))
    array = Array(3, 2, frozenset({flow}))
    design = ArrayDesign.of(sketch.program(), device("ecp5-25f"), array)
    frames = np.random.default_rng(0).integers(0, 256, (3, 1, 4, channels))
    bundle = emit_array(design, tmp_path / "bundle", frames)
    run = simulate_array(bundle, design, frames, runtime=runtime, optimize="-O0", progress=False)
    assert run.bit_mismatches == run.cycle_mismatches == 0
