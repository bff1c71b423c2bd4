# SPDX-License-Identifier: Apache-2.0
"""The code and the commands in README and docs run, and what they point at is there."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import sys
import textwrap
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

import intaglio
from intaglio.cli import main, parser
from intaglio.cli.schemes import chosen_scheme
from intaglio.devices import device
from intaglio.devices.description import parse_device
from intaglio.ir.execute import trace
from intaglio.quantize.scheme_file import from_document
from tests.cli.tiny import write_model

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def blocks(page: str, language: str) -> str:
    """Return the code of one language on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def run(page: str, folder: Path) -> dict[str, Any]:
    """Run a page's Python as one program and return its names."""
    path = folder / f"{Path(page).stem.replace('-', '_')}.py"
    path.write_text(blocks(page, "python"), encoding="utf-8")
    return runpy.run_path(str(path), run_name=path.stem)


def write_lenet_like(path: Path) -> Path:
    """Write a network that takes the demo's images and is quick to build."""
    random = np.random.default_rng(1)
    layers = [
        helper.make_node(
            "MaxPool", ["image"], ["p1"], name="p1", kernel_shape=[4, 4], strides=[4, 4]
        ),
        helper.make_node("Flatten", ["p1"], ["f1"], name="f1"),
        helper.make_node("Gemm", ["f1", "w", "b"], ["scores"], name="fc", transB=1),
    ]
    parameters = {
        "w": random.normal(0, 0.2, (10, 49)).astype(np.float32),
        "b": np.zeros(10, dtype=np.float32),
    }
    path.parent.mkdir(parents=True)
    return write_model(path, layers=layers, parameters=parameters, sizes=(1, 28, 28), classes=10)


def test_the_readmes_lines_of_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_lenet_like(tmp_path / "build" / "demo" / "lenet5.onnx")
    monkeypatch.setattr(intaglio, "synthesize", lambda _: None)  # takes minutes
    names = run("README.md", tmp_path)
    assert (names["run"].images, names["run"].bit_mismatches) == (16, 0)
    assert (tmp_path / "build" / "report.html").is_file()
    lines = [line for line in blocks("README.md", "python").splitlines() if line.strip()]
    assert len(lines) <= 12


def test_the_readmes_commands_run_in_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_lenet_like(tmp_path / "build" / "demo" / "lenet5.onnx").rename(tmp_path / "lenet5.onnx")
    copy, *lines = blocks("README.md", "console").splitlines()
    assert copy == "cp build/demo/lenet5.onnx ."
    commands = [shlex.split(line) for line in lines if line]
    assert [words[1] for words in commands] == (
        [
            "inspect",
            "quantize",
            "evaluate",
            "explore",
            "emit",
            "simulate",
            "simulate",
            "synthesize",
            "report",
            "explore",
            "predict",
            "emit",
            "simulate",
        ]
    )
    for program, *words in commands:
        assert program == "intaglio"
        parser().parse_args(words)
        if "synth" not in " ".join(words):  # takes minutes
            assert main(words) == 0
    assert "4 images: 0 bits different, under random stalls" in capsys.readouterr().out


def test_the_readme_lists_what_there_is() -> None:
    names = runpy.run_path(str(ROOT / "scripts" / "contents.py"), run_name="contents")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{names['BEGIN']}\n{names['table']()}\n{names['END']}" in text  # else run the script


def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run("docs/tutorial.md", tmp_path)
    assert names["slow"].resources.dsp < names["design"].resources.dsp
    assert capsys.readouterr().out.count("16 images: 0 bits different") == 2
    lines = [line for line in blocks("docs/tutorial.md", "python").splitlines() if line.strip()]
    assert len(lines) < 30


def test_the_exports_that_are_shown_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = write_lenet_like(tmp_path / "new" / "lenet5.onnx").rename(tmp_path / "lenet5.onnx")
    assert main(["quantize", str(model), "--calibration", "digits"]) == 0
    for line in filter(None, blocks("docs/howto/export-integers.md", "console").splitlines()):
        assert main(shlex.split(line)[1:]) == 0
    names = run("docs/howto/export-integers.md", tmp_path)
    frames = np.random.default_rng(0).integers(0, 255, (8, 28, 28, 1))
    results = []
    for name in ("program", "same", "again"):
        graph = names[name].graph
        results.append(trace(graph, {graph.inputs[0].name: frames})[graph.outputs[0]])
    assert all(np.array_equal(found, results[0]) for found in results)


def test_the_operator_that_is_shown_conforms(tmp_path: Path) -> None:
    code = blocks("docs/howto/add-an-operator.md", "python")
    (tmp_path / "shown_operator.py").write_text(code, encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        import shown_operator  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    shown_operator.test_it_conforms(tmp_path / "built")


def test_the_folding_by_hand_that_is_shown_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = intaglio.load(write_lenet_like(tmp_path / "new" / "lenet5.onnx"))
    images = np.random.default_rng(1).random((8, 1, 28, 28), dtype=np.float32)
    program = intaglio.quantize(graph, images)
    code = tmp_path / "folding.py"
    code.write_text(blocks("docs/howto/fit-a-smaller-device.md", "python"), encoding="utf-8")
    names = {"ig": intaglio, "program": program, "device": device("ecp5-25f")}
    runpy.run_path(str(code), init_globals=names)
    assert "interval=784" in capsys.readouterr().out


def test_the_commands_and_the_scheme_that_choose_bits_are_ones() -> None:
    lines = blocks("docs/howto/choose-bits.md", "console").splitlines()
    commands = [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]
    assert len(commands) == 3
    for program, *words in commands:
        assert program == "intaglio"
        arguments = parser().parse_args(words)
        assert chosen_scheme(arguments).activations == "u8" if "sweep" in words else "u4"
    shown = from_document(tomllib.loads(blocks("docs/howto/choose-bits.md", "toml")))
    assert shown.at("c1").weights == "s8n"


def test_the_device_that_is_shown_is_one() -> None:
    shown = parse_device(blocks("docs/howto/add-a-device.md", "toml"), "add-a-device.md")
    known = device("ecp5-45f")
    board = {"board": None, "memory": None, "memory_bytes": None, "memory_width": None}
    assert replace(known, sources=shown.sources, **board) == shown


@pytest.mark.parametrize("language", ["python", "systemverilog"])
def test_the_code_from_scratch_is_quoted_as_it_is(language: str) -> None:
    code = (ROOT / "examples" / "from_scratch.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "from-scratch.md").read_text(encoding="utf-8")
    quoted = re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(quoted) >= 3
    assert "import intaglio" not in code
    assert "from intaglio" not in code
    for block in quoted:
        assert any(textwrap.indent(block, " " * n) in code for n in (0, 2, 4, 8, 12)), block


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


def test_the_benchmark_measures_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_lenet_like(tmp_path / "new" / "lenet5.onnx")
    script = ROOT / "benchmarks" / "onnx_to_rtl.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(model), "digits", "--json"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    found = json.loads(capsys.readouterr().out)
    assert list(found["seconds"]) == ["import", "quantize", "explore", "emit", "verilate", "run"]
    assert found["total"] == round(sum(found["seconds"].values()), 3)
    assert found["images"] == 16


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_points_at_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    named = re.findall(
        r"`[^`\n]*?\b((?:src|tests|docs|scripts|benchmarks|examples)/[\w./-]+)", text
    )
    made = {"tests/ops/test_name.py", "tests/ops/test_global_max_pool.py"}
    made |= {"src/intaglio/ops/global_max_pool.py", "src/intaglio/devices/NAME.toml"}
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (ROOT / name).exists() and name not in made]
    assert not missing
