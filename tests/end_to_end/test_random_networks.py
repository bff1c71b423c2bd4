# SPDX-License-Identifier: Apache-2.0
"""The claim of the whole: for any network, the RTL gives the program's bits in the foretold cycles.

A network is drawn with a legal fold for every node, emitted, built with Verilator and fed several
frames back to back; then the same build runs again under random stalls, where only bits count.
"""

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

#: Shares of the networks, so that they spread over the workers of a run.
SHARES = 10
NETWORKS = {"dev": 40, "ci": 50, "nightly": 500}[settings.get_current_profile_name()]


@pytest.mark.parametrize("share", range(SHARES))
def test_random_networks_give_every_bit_at_the_predicted_cycle(share: int, runtime: Path) -> None:
    @settings(max_examples=NETWORKS // SHARES)
    @given(networks())
    def check(network: Network) -> None:
        prove(network, runtime)

    if settings().derandomize:  # the same networks every time, but others in every share
        check = seed(share)(check)
    check()


def prove(network: Network, runtime: Path) -> None:
    design = dataflow(network.program, device("ecp5-85f"), network.folds)
    with tempfile.TemporaryDirectory() as folder:
        bundle = emit(design, Path(folder, "bundle"), network.frames[:1])
        for stalls in (None, Stalls(0.3, 0.4)):
            simulate(
                bundle,
                network.frames,
                stalls=stalls,
                runtime=runtime,
                optimize="-O0",
                progress=False,
            )
