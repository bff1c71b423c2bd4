# SPDX-License-Identifier: Apache-2.0
"""The claim of the whole: for any network, RTL equals the integers and every cycle is foretold."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, seed, settings

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from tests.strategies import Network, networks

CHUNKS = 20


def prove(network: Network, runtime: Path) -> None:
    design = dataflow(network.program, device("ecp5-85f"), network.folds)
    with tempfile.TemporaryDirectory() as folder:
        bundle = emit(design, Path(folder, "bundle"), network.frames[:1])
        for stalls in (None, Stalls(0.3, 0.4)):
            run = simulate(
                bundle,
                network.frames,
                runtime=runtime,
                optimize="-O0",
                stalls=stalls,
                progress=False,
            )
            assert run.bit_mismatches == run.cycle_mismatches == 0


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_bit_and_every_cycle_is_as_predicted(chunk: int, runtime: Path) -> None:
    @seed(chunk)
    @settings(max_examples=10)
    @given(networks())
    def check(network: Network) -> None:
        prove(network, runtime)

    check()
