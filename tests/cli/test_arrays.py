# SPDX-License-Identifier: Apache-2.0
"""A design with a systolic array through the commands: predict, emit, simulate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import intaglio as ig
from intaglio.arch.systolic.store import save_array_design
from intaglio.ops.store import load_program
from tests.cli.conftest import Made
from tests.cli.tiny import intaglio

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def design(made: Made) -> Path:
    path = made.folder / "array.design"
    array = ig.Array(4, 3, frozenset({ig.Dataflow.WEIGHT_STATIONARY}))
    program = load_program(made.program)
    save_array_design(path, ig.ArrayDesign.of(program, ig.device("ecp5-25f"), array))
    return path


def test_predict_prints_each_layer(design: Path, capsys: Capture) -> None:
    assert intaglio("predict", design) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 x 3 cells, ")
    assert lines[1].split()[:3] == ["layer", "dataflow", "cycles"]
    assert intaglio("predict", design, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert sum(layer["total"] for layer in document["layers"]) == document["cycles"]
    assert f"{document['cycles']:,}" in lines[-1]


def test_predict_refuses_a_dataflow_design(made: Made, capsys: Capture) -> None:
    assert intaglio("predict", made.design) == 2
    assert "must be a design with an array" in capsys.readouterr().err


def test_emit_and_simulate(made: Made, design: Path, capsys: Capture, tmp_path: Path) -> None:
    assert intaglio("emit", design, "-o", tmp_path / "bundle") == 0
    page = (tmp_path / "bundle" / "README.md").read_text()
    assert "How a host runs it" in page
    capsys.readouterr()
    data = ("--data", made.data, "-n", "2")
    assert intaglio("simulate", tmp_path / "bundle", *data, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bit_mismatches"] == found["cycle_mismatches"] == 0
    assert found["latency_simulated"] == found["latency_predicted"]
    assert intaglio("simulate", tmp_path / "bundle", *data, "--gate-level") == 2
    assert "no gate level yet" in capsys.readouterr().err


def test_a_bundle_that_was_changed_is_refused(
    design: Path, capsys: Capture, tmp_path: Path
) -> None:
    assert intaglio("emit", design, "-o", tmp_path / "bundle") == 0
    (tmp_path / "bundle" / "mem" / "fold.hex").write_text("0\n")
    capsys.readouterr()
    assert intaglio("simulate", tmp_path / "bundle", "--data", "digits", "-n", "1") == 2
    assert "must be as it was written" in capsys.readouterr().err


def test_a_picture_of_another_kind_is_refused_before_the_search(
    made: Made, capsys: Capture, tmp_path: Path
) -> None:
    design = tmp_path / "array.design"
    words = ("explore", made.program, "--arch", "systolic", "--device", "ecp5-25f", "-o", design)
    assert intaglio(*words, "--heatmap", tmp_path / "shapes.pdf") == 2
    assert "--heatmap must be a .png file, not" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_each_layer_has_a_dataflow_of_its_own(made: Made, capsys: Capture, tmp_path: Path) -> None:
    words = ("explore", made.program, "--arch", "systolic", "--device", "ecp5-85f", "--json")
    cycles = {}
    for chosen in ("each", "any", "ws"):
        options = ("--array", "6x4", "--dataflow", chosen, "-o", tmp_path / f"{chosen}.design")
        assert intaglio(*words, *options) == 0
        document = json.loads(capsys.readouterr().out)
        cycles[chosen] = document["cycles"]
        flows = {layer["dataflow"] for layer in document["layers"]}
        assert flows == set(document["array"]["dataflows"])
        assert len(flows) == 1 or chosen == "each"
        for one in document["runners_up"]:
            assert "+".join(sorted(set(one["flows"].values()))) == one["dataflow"]
    assert cycles["each"] <= cycles["any"] <= cycles["ws"]
