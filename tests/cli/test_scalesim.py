# SPDX-License-Identifier: Apache-2.0
"""`intaglio scalesim`: a table, reports, and one line about what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.tiny import intaglio
from tests.scalesim.files import TOPOLOGY, write_files

Capture = pytest.CaptureFixture[str]


def run(folder: Path, *changes: tuple[str, str], topology: str = TOPOLOGY, more: str = "") -> int:
    config, layers = write_files(folder, *changes, topology=topology)
    return intaglio("scalesim", "-c", config, "-t", layers, "-p", folder / "out", *more.split())


def test_a_table_and_the_reports(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "layer         cycles       stalls  util %     DRAM reads    DRAM writes",
        "l1                27            0   29.63             21             12",
        "total             27",
        str(tmp_path / "out" / "tiny"),
    ]
    found = {path.name for path in (tmp_path / "out" / "tiny").iterdir()}
    assert found == {"BANDWIDTH_REPORT.csv", "COMPUTE_REPORT.csv", "DETAILED_ACCESS_REPORT.csv"}


def test_the_numbers_as_json(tmp_path: Path, capsys: Capture) -> None:
    assert run(tmp_path, topology="h\nfc,2,3,4\n", more="-i gemm --traces --json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["folder"] == str(tmp_path / "out" / "tiny")
    (layer,) = document["layers"]
    assert layer["name"] == "fc"
    assert document["total_cycles"] == layer["total_cycles"] == 13
    assert (tmp_path / "out" / "tiny" / "layer0" / "OFMAP_DRAM_TRACE.csv").is_file()


@pytest.mark.parametrize(
    ("change", "topology", "said"),
    [
        (("Dataflow : os", "Dataflow : xx"), TOPOLOGY,
         "tiny.cfg:14: Dataflow must be one of os, ws, is, not 'xx'"),
        (("IfmapSramSzkB: 1", "IfmapSramSzkB: 0"), TOPOLOGY,
         "tiny.cfg:7: IfmapSramSzkB must be a whole number from 1 to 2097152, not '0'"),
        (("tiny", "tiny"), "h\nl1,3,3,2,two,1,3,1,\n",
         "tiny.csv:2: Filter Width must be a whole number from 1 to 16777216, not 'two'"),
        (("tiny", "tiny"), "h\nl1,3,3,2,4,1,3,1,\n",
         "tiny.csv:2: Filter Width must be at most IFMAP Width, which is 3, not 4"),
        (("tiny", "tiny"), "h\n\nl1,16777216,16777216,2,2,16777216,1,1,\n",
         "tiny.csv:3: IFMAP of a layer must have at most 268435456 words, "
         "not 4722366482869645213696"),
        (("tiny", "tiny"), "h\nfc,65536,1,1,1,4096,65536,1,\n",
         "tiny.csv:2: OFMAP of a layer must have at most 268435456 words, not 4294967296"),
        (("tiny", "tiny"), "h\nl1,132,130,3,3,2048,14563,1,\n",
         "tiny.csv:2: a layer must have at most 4398046511104 products, not 4466595594240"),
    ],
)  # fmt: skip
def test_one_line_and_no_file(
    tmp_path: Path, capsys: Capture, change: tuple[str, str], topology: str, said: str
) -> None:
    assert run(tmp_path, change, topology=topology) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"intaglio: {tmp_path}/{said}\n"
    assert not (tmp_path / "out").exists()


def test_files_that_are_not_there(tmp_path: Path, capsys: Capture) -> None:
    config, _ = write_files(tmp_path)
    none = tmp_path / "none"
    assert intaglio("scalesim", "-c", none, "-t", none) == 2
    assert capsys.readouterr().err == (
        f"intaglio: {none} must be a .cfg file; there is no such file\n"
    )
    assert intaglio("scalesim", "-c", config, "-t", none) == 2
    assert capsys.readouterr().err == (
        f"intaglio: {none} must be a topology; there is no such file\n"
    )


def test_a_place_that_is_no_folder(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "out").write_text("mine")
    assert run(tmp_path) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "out").read_text() == "mine"
