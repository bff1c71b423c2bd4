# SPDX-License-Identifier: Apache-2.0
"""Traces byte for byte, against plain loops over every line and word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.scalesim import traces
from intaglio.scalesim.config import Config
from intaglio.scalesim.topology import Layer
from intaglio.scalesim.traces import write_traces
from tests.scalesim import slow
from tests.scalesim.layers import TINY, configs, layers


def written(layer: Layer, config: Config) -> dict[str, str]:
    """Write the traces of a layer and return them, with how many lines were counted."""
    counts: list[int] = []
    with TemporaryDirectory() as folder:
        write_traces(Path(folder) / "layer0", layer, config, counts.append)
        found = {path.name: path.read_text() for path in (Path(folder) / "layer0").iterdir()}
    assert sum(counts) == found["OFMAP_SRAM_TRACE.csv"].count("\n")
    return found


@given(layers, st.booleans().flatmap(lambda user: configs(user=user)))
def test_traces(layer: Layer, config: Config) -> None:
    try:
        expected = slow.simulate(layer, config).traces
    except slow.DividesByZeroError:
        return
    assert written(layer, config) == expected


def test_traces_written_in_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "CHUNK", 1000)
    layer = Layer("conv", 9, 9, 3, 3, 4, 5, 2, 2, 1, 1)
    for dataflow in ("os", "ws", "is"):
        config = replace(TINY, dataflow=dataflow)
        assert written(layer, config) == slow.simulate(layer, config).traces


def test_the_trace_of_one_product() -> None:
    layer = Layer("gemm", 1, 1, 1, 1, 1, 1, 1, 1)
    assert written(layer, replace(TINY, rows=1, columns=2)) == {
        "IFMAP_SRAM_TRACE.csv": "1,0\n2,-1\n",
        "FILTER_SRAM_TRACE.csv": "1,10000000,-1\n2,-1,-1\n",
        "OFMAP_SRAM_TRACE.csv": "0,20000000,-1\n1,-1,-1\n",
        "OFMAP_DRAM_TRACE.csv": "1.0,20000000.0,-1.0\n",
    }
