# SPDX-License-Identifier: Apache-2.0
"""Products of matrices of every shape, in Verilator: every bit, at the cycle foretold."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intaglio.arch.dataflow import dataflow, hardware_graph
from intaglio.devices import device
from intaglio.errors import ModelError
from intaglio.hw.stream_matmul import stream_matmul
from intaglio.hw.unit import Fold, StreamOperator, divisors
from intaglio.ir.graph import Node, Program
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.reshape import Reshape
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from intaglio.tools.yosys import synthesize_netlist
from tests.programs import S8, U8, codes, program

sizes = st.integers(1, 5)


def made(batch: int, m: int, k: int, n: int, element: IntType) -> Program:
    """x as it comes; y a combination of its columns, so that N is free."""
    return program(
        (batch * k, 1, m),
        [
            Node("x.matrix", Reshape((batch, m, k)), ("x",)),
            Node("mixed", Conv2d(), ("x", "w", "b")),
            Node("y.matrix", Reshape((batch, k, n)), ("mixed",)),
            Node("z", BatchMatmul(), ("x.matrix", "y.matrix")),
        ],
        {"w": codes(IntType(3, signed=True), n, 1, 1, m), "b": codes(S8, n)},
        element=element,
    )


@settings(max_examples=12)
@given(st.integers(1, 3), sizes, sizes, sizes, st.booleans(), st.data())
def test_every_bit_comes_at_the_cycle_foretold(
    runtime: Path, batch: int, m: int, k: int, n: int, signed: bool, data: st.DataObject
) -> None:
    element = IntType(data.draw(st.integers(1, 9)), signed)
    network = made(batch, m, k, n, element)
    graph = hardware_graph(network)
    folds = {}
    for node in graph.nodes:
        assert isinstance(node.op, StreamOperator)
        legal = list(node.op.folds(graph.operand_types(node)))
        folds[node.name] = data.draw(st.sampled_from(legal), label=node.name)
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    frames = random.integers(element.min, element.max + 1, (4, batch * k, 1, m))
    design = dataflow(network, device("ecp5-85f"), folds)
    with tempfile.TemporaryDirectory() as folder:
        bundle = emit(design, Path(folder, "bundle"), frames[:1])
        for stalls in (None, Stalls(0.3, 0.4)):
            simulate(bundle, frames, stalls=stalls, runtime=runtime, optimize="-O0", progress=False)


@pytest.mark.parametrize("fold", [Fold(2, 1, 6), Fold(4, 1, 1)], ids=["wide", "tall"])
def test_a_netlist_has_the_cells_that_were_counted(fold: Fold, tmp_path: Path) -> None:
    network = made(1, 12, 64, 12, U8)
    graph = hardware_graph(network)
    folds = {node.name: Fold() for node in graph.nodes} | {"z": fold}
    design = dataflow(network, device("ecp5-25f"), folds)
    bundle = emit(design, tmp_path / "bundle", np.zeros((1, 64, 1, 12), dtype=np.int64))
    netlist = tmp_path / "netlist.json"
    log = tmp_path / "yosys.log"
    synthesize_netlist(bundle.folder, bundle.sources, bundle.top, netlist, log=log)
    cells: Counter[str] = Counter()
    for name, cell in json.loads(netlist.read_text())["modules"][bundle.top]["cells"].items():
        if name.startswith("u_z."):
            cells[cell["type"]] += 1
    found = next(i.unit.resources.on(design.device) for i in design.instances if i.name == "z")
    assert cells["MULT18X18D"] == found.dsp > 0
    assert cells["DP16KD"] == found.bram > 0
    luts = cells["LUT4"] + 2 * cells["CCU2C"] + 6 * cells["TRELLIS_DPR16X4"]
    assert abs(luts - found.lut) <= 0.25 * luts
    assert abs(cells["TRELLIS_FF"] - found.ff) <= 0.25 * cells["TRELLIS_FF"]


def _types(*shape: int) -> tuple[TensorType, TensorType, TensorType]:
    batch, m, k, n = shape
    a, b = TensorType((batch, m, k), U8), TensorType((batch, k, n), S8)
    return a, b, BatchMatmul().infer(a, b)


@pytest.mark.parametrize("lanes_in", divisors(12))
@pytest.mark.parametrize("lanes_out", divisors(6))
def test_multipliers_are_never_idle_inside_a_frame(lanes_in: int, lanes_out: int) -> None:
    unit = stream_matmul(*_types(2, 8, 12, 6), Fold(lanes_in, 1, lanes_out))
    assert unit.multipliers == unit.resources.dsp == lanes_in * lanes_out
    reader = unit.processes[-1]
    assert reader.slots * unit.multipliers == unit.macs == 2 * 8 * 12 * 6
    assert unit.cycles.interval == unit.interval >= reader.slots


def test_few_rows_are_as_slow_as_the_matrix_comes() -> None:
    unit = stream_matmul(*_types(1, 1, 12, 6), Fold(12, 1, 1))
    assert unit.interval == 12 * 6


def test_what_a_multiplier_does_not_take_has_no_hardware() -> None:
    a, b, y = _types(1, 2, 2, 2)
    wide = TensorType(b.shape, IntType.parse("s19"))
    with pytest.raises(ModelError, match=r"^y must fit 18 signed bits in hardware, not s19"):
        stream_matmul(a, wide, y, Fold())
