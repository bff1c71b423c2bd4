# SPDX-License-Identifier: Apache-2.0
"""Every command does its work, says so in words and in JSON, and returns 0."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio.artifact import version
from intaglio.cli import COMMANDS
from intaglio.flow import Program, quantize
from tests.cli.conftest import Made
from tests.cli.tiny import CLASSES, IMAGE, IMAGES, intaglio

Capture = pytest.CaptureFixture[str]


def answer(capsys: Capture, *words: object) -> Any:
    """Run a command with --json and return what it prints."""
    capsys.readouterr()
    assert intaglio(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def text(capsys: Capture, *words: object) -> str:
    """Run a command and return what it prints."""
    capsys.readouterr()
    assert intaglio(*words) == 0
    return capsys.readouterr().out


def test_inspect_reports_every_node_with_its_size(made: Made, capsys: Capture) -> None:
    found = answer(capsys, "inspect", made.model)
    assert found["supported"] is True
    assert [node["op"] for node in found["nodes"]] == ["Conv", "Relu", "MaxPool", "Flatten", "Gemm"]
    assert found["macs"] == 4 * 6 * 6 * 9 + 36 * CLASSES
    assert found["parameters"] == 4 * 9 + 4 + 36 * CLASSES + CLASSES
    assert text(capsys, "inspect", made.model).endswith("every node is supported\n")


@pytest.mark.parametrize(
    ("options", "scheme"),
    [
        ([], "weights s8n per_channel, activations u8, output s16, affine scales"),
        (
            ["--scheme", "pow2"],
            "weights s8n per_tensor, activations u8, output s16, pow2 scales",
        ),
        (
            ["--granularity", "per_tensor", "--weights", "s4n", "--activations", "u4", "-n", "5"],
            "weights s4n per_tensor, activations u4, output s16, affine scales",
        ),
        (
            ["--estimator", "mse", "--layer", "c1:weights=s2n", "--layer", "f*:weights=s1"],
            "weights s8n per_channel, activations u8, output s16, affine scales, estimator mse; "
            "c1: weights s2n; f*: weights s1",
        ),
    ],
)
def test_quantize_writes_a_program_by_its_scheme(
    made: Made, tmp_path: Path, capsys: Capture, options: list[str], scheme: str
) -> None:
    program = tmp_path / "out.program"
    words = ["quantize", made.model, "--calibration", made.data, "-o", program, *options]
    found = answer(capsys, *words)
    assert found["scheme"] == scheme
    assert found["images"] == (5 if "-n" in options else IMAGES)
    assert text(capsys, *words) == (
        f"{program}: {found['nodes']} nodes, {scheme}, {found['images']} images\n"
    )
    assert text(capsys, "explore", program).startswith("tiny on ecp5-85f: a frame every ")


def test_quantize_says_what_was_left_out(
    made: Made, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted(*given: Any, **named: Any) -> Program:
        return replace(quantize(*given, **named), notes=("softmax 'p' is left out",))

    monkeypatch.setattr("intaglio.cli.quantize.quantize", noted)
    program = tmp_path / "out.program"
    words = ["quantize", made.model, "--calibration", made.data, "-o", program]
    assert answer(capsys, *words)["notes"] == ["softmax 'p' is left out"]
    assert text(capsys, *words).endswith(" images\nsoftmax 'p' is left out\n")


def test_evaluate_compares_accuracy_and_every_layer(made: Made, capsys: Capture) -> None:
    found = answer(capsys, "evaluate", made.model, made.program, "--data", made.data)
    assert found["count"] == IMAGES
    assert found["agreement"] == 1.0
    assert [layer["name"] for layer in found["layers"]] == ["image", "c1", "r1", "p1", "f1", "fc"]
    assert found["float_accuracy"] == found["integer_accuracy"]
    shown = text(capsys, "evaluate", made.model, made.program, "--data", made.data, "-n", 4)
    warning = (
        "at least 4 of 4 images are those that the program was calibrated with: "
        "its accuracy on others may be lower"
    )
    assert shown.startswith(f"warning: {warning}\n4 images\nfloat accuracy")


def test_evaluate_does_not_warn_of_other_images(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    fresh = tmp_path / "fresh.npy"
    np.save(fresh, np.random.default_rng(99).random((3, *IMAGE), dtype=np.float32))
    found = answer(capsys, "evaluate", made.model, made.program, "--data", fresh)
    assert found["warnings"] == []


def test_explore_finds_the_fastest_and_the_smallest_that_is_fast_enough(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    words = ["explore", made.program, "--device", "ecp5-25f", "-o", tmp_path / "out.design"]
    fastest = answer(capsys, *words)
    smallest = answer(capsys, *words, "--target-fps", 50_000, "--clock-mhz", 50)
    assert fastest["device"] == smallest["device"] == "ecp5-25f"
    assert fastest["interval_cycles"] < smallest["interval_cycles"] <= 1000
    assert fastest["multipliers"] > smallest["multipliers"]
    assert fastest["estimated"]["dsp"] <= 28
    shown = text(capsys, *words)
    assert shown.endswith(f"{tmp_path / 'out.design'}\n")
    assert f"a frame every {fastest['interval_cycles']} cycles" in shown


def test_explore_finds_the_quickest_and_the_smallest_that_is_quick_enough(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    words = ["explore", made.program, "--device", "ecp5-25f", "-o", tmp_path / "out.design"]
    quickest = answer(capsys, *words, "--objective", "latency")
    assert quickest["latency_cycles"] <= answer(capsys, *words)["latency_cycles"]
    slower = answer(capsys, *words, "--target-latency-us", quickest["latency_cycles"] / 25)
    assert quickest["latency_cycles"] < slower["latency_cycles"] <= 4 * quickest["latency_cycles"]
    assert quickest["estimated"]["lut"] > slower["estimated"]["lut"]


def test_explore_writes_the_front_as_a_table_or_a_picture(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    table, picture = tmp_path / "front.csv", tmp_path / "front.png"
    words = ["explore", made.program, "--device", "ecp5-25f", "-o", tmp_path / "out.design"]
    found = answer(capsys, *words, "--pareto", table)
    assert found["pareto"] == str(table)
    head, first, *_ = table.read_text().splitlines()
    assert head == "interval_cycles,frames_per_second,share,lut,ff,dsp,bram"
    assert int(first.split(",")[0]) == found["interval_cycles"]
    assert text(capsys, *words, "--pareto", picture).endswith(f"\n{picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_emit_writes_a_bundle(made: Made, tmp_path: Path, capsys: Capture) -> None:
    bundle = tmp_path / "bundle"
    found = answer(capsys, "emit", made.design, "-o", bundle)
    assert found["top"] == "tiny"
    assert (bundle / "rtl" / "tiny.sv").is_file()
    again = text(capsys, "emit", made.design, "-o", bundle)
    assert again.startswith(f"{bundle}: top level rtl/tiny.sv, ")


def test_simulate_proves_bits_and_cycles_and_bits_under_stalls(made: Made, capsys: Capture) -> None:
    words = ["simulate", made.bundle, "--data", made.data, "-n", 6]
    found = answer(capsys, *words)
    assert (found["images"], found["bit_mismatches"], found["cycle_mismatches"]) == (6, 0, 0)
    assert found["latency_simulated"] == found["latency_predicted"]
    assert found["interval_simulated"] == found["interval_predicted"]
    assert text(capsys, *words).startswith("6 images: 0 bits different, 0 cycles different; ")
    stalled = text(capsys, *words, "--stalls", 0.4, "--seed", 3)
    assert stalled.startswith("6 images: 0 bits different, under random stalls, bits only; ")


def test_report_writes_a_page_that_says_how_to_make_it_again(
    made: Made, tmp_path: Path, capsys: Capture
) -> None:
    page = tmp_path / "with space" / "report.html"
    words = ["report", made.model, made.bundle, "--data", made.data, "-n", 8, "-o", page]
    words.append("--pareto")
    assert answer(capsys, *words) == {"report": str(page)}
    html = page.read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "intaglio report" in html
    assert "with space" in html
    assert "Speed against size" in html
    assert text(capsys, *words).endswith(f"{page}\n")


def test_check_names_every_tool(capsys: Capture) -> None:
    found = answer(capsys, "check")
    assert all(part["present"] for part in found.values())
    assert {"C++ compiler", "Verilator", "Yosys", "nextpnr"} < set(found)
    assert "MISSING" not in text(capsys, "check")


@pytest.mark.parametrize("module", COMMANDS, ids=lambda module: module.__name__.split(".")[-1])
def test_every_command_has_help(module: Any, capsys: Capture) -> None:
    name = module.__name__.rpartition(".")[2]
    with pytest.raises(SystemExit) as stop:
        intaglio(name, "--help")
    assert stop.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert module.HELP in shown
    assert "--json" in shown


def test_the_version_is_the_packages(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        intaglio("--version")
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"intaglio {version()}\n"


def test_explore_finds_an_array(made: Made, tmp_path: Path, capsys: Capture) -> None:
    design, front = tmp_path / "array.design", tmp_path / "front.csv"
    words = ("explore", made.program, "--arch", "systolic", "--array", "4x4", "-o", design)
    found = answer(capsys, *words, "--dataflow", "os", "--pareto", front)
    assert (found["array"]["rows"], found["array"]["columns"]) == (4, 4)
    assert {layer["dataflow"] for layer in found["layers"]} == {"os"}
    assert answer(capsys, "predict", design)["cycles"] == found["cycles"]
    assert front.read_text().count("\n") == 1 + len(found["front"])
    picture = tmp_path / "map.png"
    assert text(capsys, *words, "--heatmap", picture).endswith(f"\n{design}\n{picture}\n")


def test_a_shape_that_is_none_is_refused(made: Made, capsys: Capture) -> None:
    assert intaglio("explore", made.program, "--arch", "systolic", "--array", "4by4") == 2
    assert "--array must be like 16x8, not '4by4'" in capsys.readouterr().err


def test_export_writes_the_integers(made: Made, tmp_path: Path, capsys: Capture) -> None:
    found = answer(capsys, "export", made.program, "--format", "npz", "-o", tmp_path / "tiny")
    assert found["files"] == [str(tmp_path / "tiny.npz"), str(tmp_path / "tiny.json")]
    words = ("export", made.program, "--format", "hex", "-o", tmp_path / "hex")
    assert text(capsys, *words) == (f"{tmp_path / 'hex'}: hex, 7 files, read back and compared\n")
