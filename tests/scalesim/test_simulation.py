# SPDX-License-Identifier: Apache-2.0
"""Whole runs: reports as the tool prints them, and folders that are written whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import intaglio as ig
from intaglio.errors import ModelError
from intaglio.scalesim import traces
from intaglio.scalesim.topology import Layer
from tests.scalesim import slow
from tests.scalesim.files import write_files
from tests.scalesim.layers import TINY

#: What the tool prints of the tiny run.
COMPUTE = """\
LayerID, Total Cycles (incl. prefetch), Total Cycles, Stall Cycles, Overall Util %, \
Mapping Efficiency %, Compute Util %,
0, 34, 27, 0, 29.62962962962963, 50.0, 28.57142857142857,
"""
BANDWIDTH = """\
LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, \
Avg FILTER DRAM BW, Avg OFMAP DRAM BW,
0, 1.1851851851851851, 0.8888888888888888, 1.1851851851851851, 9.0, 6.0, 2.0,
"""
ACCESS = """\
LayerID, SRAM IFMAP Start Cycle, SRAM IFMAP Stop Cycle, SRAM IFMAP Reads, \
SRAM Filter Start Cycle, SRAM Filter Stop Cycle, SRAM Filter Reads, \
SRAM OFMAP Start Cycle, SRAM OFMAP Stop Cycle, SRAM OFMAP Writes, \
DRAM IFMAP Start Cycle, DRAM IFMAP Stop Cycle, DRAM IFMAP Reads, \
DRAM Filter Start Cycle, DRAM Filter Stop Cycle, DRAM Filter Reads, \
DRAM OFMAP Start Cycle, DRAM OFMAP Stop Cycle, DRAM OFMAP Writes,
0, 1.0, 25.0, 32, 1.0, 25.0, 24, 3.0, 26.0, 32, -1.0, -1.0, 9, -2.0, -1.0, 12, 27.0, 32.0, 12,
"""


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_reports(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path)
    found = ig.scalesim(config, topology, output=tmp_path / "deep" / "out")
    assert files(tmp_path / "deep") == {
        "out/tiny/BANDWIDTH_REPORT.csv": BANDWIDTH,
        "out/tiny/COMPUTE_REPORT.csv": COMPUTE,
        "out/tiny/DETAILED_ACCESS_REPORT.csv": ACCESS,
    }
    assert found.total_cycles == 27
    assert [row.name for row in found.rows] == ["l1"]


def test_nothing_is_written_unasked(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path)
    assert ig.scalesim(str(config), str(topology)).rows[0].total_cycles == 27
    assert set(tmp_path.iterdir()) == {config, topology}


def test_equal_layers_keep_their_names(tmp_path: Path) -> None:
    config, topology = write_files(
        tmp_path, topology="h\na,3,3,2,2,1,3,1,\nb,6,6,2,2,1,3,1,\nc,3,3,2,2,1,3,1,\n"
    )
    first, second, third = ig.scalesim(config, topology).rows
    assert [row.name for row in (first, second, third)] == ["a", "b", "c"]
    assert replace(first, name="c") == third
    assert second.total_cycles > first.total_cycles


def test_products_of_matrices(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path, topology="h\nfc,4,5,6,\n")
    (row,) = ig.scalesim(config, topology, kind="gemm").rows
    assert row == slow.simulate(Layer("fc", 4, 6, 1, 6, 1, 5, 1, 1), TINY).row


def test_sparse_filters_have_a_report_of_their_own(tmp_path: Path) -> None:
    config, topology = write_files(
        tmp_path,
        ("SparsitySupport : false", "SparsitySupport : true"),
        ("Dataflow : os", "Dataflow : ws"),
        topology="h\nl1,3,3,2,2,1,3,1,1:2,\n",
    )
    ig.scalesim(config, topology, output=tmp_path / "out")
    found = files(tmp_path / "out" / "tiny")
    assert found["SPARSE_REPORT.csv"].splitlines()[0] == (
        "LayerID, Sparsity Representation, Original Filter Storage, "
        "New Storage (Filter+Metadata), Filter Metadata Storage, Avg FILTER Metadata SRAM BW, "
    )
    assert (
        found["SPARSE_REPORT.csv"]
        .splitlines()[1]
        .startswith("0, ellpack_block, 12, 6.1875, 0.1875, ")
    )
    assert "Avg FILTER Metadata SRAM BW, Avg OFMAP SRAM BW" in found["BANDWIDTH_REPORT.csv"]
    assert ", 32.0, " in found["DETAILED_ACCESS_REPORT.csv"]


@pytest.mark.parametrize(
    ("name", "row"), [("csr", "12, 17, 11"), ("csc", "12, 16, 10"), ("ellpack_block", "12, 6.1875")]
)
def test_representations_of_sparse_filters(tmp_path: Path, name: str, row: str) -> None:
    config, topology = write_files(
        tmp_path,
        ("SparsitySupport : false", "SparsitySupport : true"),
        ("SparseRep : ellpack_block", f"SparseRep : {name}"),
        topology="h\nl1,3,3,2,2,1,3,1,1:2,\n",
    )
    ig.scalesim(config, topology, output=tmp_path / "out")
    text = (tmp_path / "out" / "tiny" / "SPARSE_REPORT.csv").read_text()
    assert text.splitlines()[1].startswith(f"0, {name}, {row}")


def test_traces_lie_in_a_folder_for_each_layer(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path, topology="h\na,3,3,2,2,1,3,1,\nb,4,3,2,2,1,3,1,\n")
    ig.scalesim(config, topology, output=tmp_path / "out", traces=True)
    found = files(tmp_path / "out" / "tiny")
    names = (*traces.SRAM_TRACES, traces.DRAM_TRACE)
    reports = {name for name in found if "/" not in name}
    assert set(found) - reports == {f"layer{i}/{name}" for i in range(2) for name in names}
    assert found["layer0/IFMAP_SRAM_TRACE.csv"].startswith("1,0,-1,-1\n2,1,1,-1\n3,3,2,3\n")


def test_a_run_goes_over_an_older_one_and_leaves_other_files(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path)
    folder = tmp_path / "out" / "tiny"
    (folder / "layer0").mkdir(parents=True)
    for name in ("COMPUTE_REPORT.csv", "mine.txt", "layer0/IFMAP_DRAM_TRACE.csv"):
        (folder / name).write_text("old")
    ig.scalesim(config, topology, output=tmp_path / "out", traces=True)
    found = files(folder)
    assert found["COMPUTE_REPORT.csv"] == COMPUTE
    assert found["mine.txt"] == found["layer0/IFMAP_DRAM_TRACE.csv"] == "old"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tiny"]


def test_a_run_that_ends_early_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    config, topology = write_files(tmp_path)
    monkeypatch.setattr(traces, "sram_lines", fail)
    with pytest.raises(KeyboardInterrupt):
        ig.scalesim(config, topology, output=tmp_path / "out", traces=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_layout_must_be_there(tmp_path: Path) -> None:
    config, topology = write_files(tmp_path)
    assert ig.scalesim(config, topology, layout=topology).total_cycles == 27
    with pytest.raises(ModelError, match="must be a layout; there is no such file"):
        ig.scalesim(config, topology, layout=tmp_path / "none.csv")


def test_where_the_tool_divides_by_zero(tmp_path: Path) -> None:
    config, topology = write_files(
        tmp_path,
        ("ArrayHeight: 3", "ArrayHeight: 1"),
        ("ArrayWidth: 2", "ArrayWidth: 1"),
        topology="h\none,1,1,1,1,1,1,1,\n",
    )
    with pytest.raises(ModelError) as error:
        ig.scalesim(config, topology, output=tmp_path / "out")
    assert str(error.value) == (
        "layer 'one' must take more than one cycle: SCALE-Sim counts one less, and divides by that"
    )
    assert not (tmp_path / "out").exists()


def test_two_flushes_on_a_line(tmp_path: Path) -> None:
    config, topology = write_files(
        tmp_path,
        ("ArrayWidth: 2", "ArrayWidth: 2000"),
        ("Dataflow : os", "Dataflow : ws"),
        topology="h\nwide,1,1,1,1,3,2000,1,\n",
    )
    with pytest.raises(ModelError) as error:
        ig.scalesim(config, topology)
    assert str(error.value) == (
        "layer 'wide': a line must fill a read buffer once at most, or SCALE-Sim divides by zero: "
        "2000 words pass in a line, and 500 fill the buffer"
    )
