# SPDX-License-Identifier: Apache-2.0
"""Bundles on disk: whole, checked, and never in the place of something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio import devices
from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design
from intaglio.devices import device
from intaglio.devices.description import load_device
from intaglio.errors import ArtifactError
from intaglio.explore.folding import best_throughput
from intaglio.hw import library
from intaglio.ir.execute import run_frames
from intaglio.rtl import bundle as bundles
from intaglio.rtl.bundle import MANIFEST, VECTOR_FRAMES, Bundle, emit
from tests.programs import convolutional


@pytest.fixture(scope="module")
def design() -> Design:
    made, target = convolutional("net"), device("ecp5-25f")
    return dataflow(made, target, best_throughput(made, target).folds)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_bundle_loads_as_the_design_it_was_written_from(design: Design, tmp_path: Path) -> None:
    written = emit(design, tmp_path / "bundle")
    loaded = Bundle.load(tmp_path / "bundle")
    assert loaded == written
    assert loaded.top == "net"
    again = loaded.design()
    assert again.folds == design.folds
    assert again.cycles == design.cycles
    assert again.resources == design.resources
    assert loaded.manifest["cycles"] == {
        "latency": design.cycles.latency,
        "interval": design.cycles.interval,
    }


def test_a_bundle_says_what_the_program_notes(tmp_path: Path) -> None:
    made, target = replace(convolutional("net"), notes=("softmax is left out",)), device("ecp5-25f")
    found = emit(dataflow(made, target, best_throughput(made, target).folds), tmp_path / "bundle")
    assert "\nNote: softmax is left out.\n" in (found.folder / "README.md").read_text()
    assert found.design().program.notes == made.notes


def test_library_modules_reach_the_bundle_unchanged(design: Design, tmp_path: Path) -> None:
    found = emit(design, tmp_path / "bundle")
    generated = {f"rtl/{found.top}.sv"}
    for name in set(found.sources) - generated:
        block = Path(name).stem
        text = (found.folder / name).read_text()
        assert text == library.source(block, "ecp5").read_text()
    assert found.models == ("sim/MULT18X18D.sv", "sim/row_adder.sv")
    assert set(found.simulated) == {*found.sources, *found.models} - {"rtl/row_adder.sv"}
    assert all((found.folder / name).is_file() for name in (*found.sources, *found.models))


def test_the_same_design_gives_the_same_bundle(design: Design, tmp_path: Path) -> None:
    one, two = emit(design, tmp_path / "one"), emit(design, tmp_path / "two")
    assert one.sha256 == two.sha256
    assert files(one.folder) == files(two.folder)


def test_the_vectors_are_the_frames_given_or_a_few_of_its_own(
    design: Design, tmp_path: Path
) -> None:
    own = emit(design, tmp_path / "own")
    into, out = next(iter(design.inputs.values())), design.output_stream
    stimulus = (own.folder / "vectors/input.hex").read_text().split()
    assert len(stimulus) == VECTOR_FRAMES * into.beats
    frames = np.zeros((3, 8, 8, 2), dtype=np.int64)
    given = emit(design, tmp_path / "given", frames)
    assert (given.folder / "vectors/input.hex").read_text().split() == ["0" * len(stimulus[0])] * (
        3 * into.beats
    )
    expected = (given.folder / "vectors/expected.hex").read_text().split()
    assert len(expected) == 3 * out.beats
    first = run_frames(design.program.graph, frames)[0, 0]
    width = out.element.width
    assert int(expected[0], 16) & ((1 << width) - 1) == int(first) & ((1 << width) - 1)


def test_a_bundle_for_a_users_own_device_needs_nothing_but_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (resources.files(devices) / "ecp5-25f.toml").read_text()
    path.write_text(text.replace('name = "ecp5-25f"', 'name = "mine"'))
    made, mine = convolutional(), load_device(path)
    emit(dataflow(made, mine, best_throughput(made, mine).folds), tmp_path / "bundle")
    path.unlink()
    found = Bundle.load(tmp_path / "bundle")
    assert found.manifest["device"] == "mine"
    assert found.design().device == mine


@pytest.mark.parametrize("name", ["rtl/net.sv", "mem/dense_weight_0.hex", "README.md"])
def test_a_changed_or_removed_file_is_noticed(design: Design, tmp_path: Path, name: str) -> None:
    folder = emit(design, tmp_path / "bundle").folder
    assert (folder / name).is_file(), sorted(files(folder))
    with (folder / name).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(ArtifactError, match=f"{name} must be as it was written"):
        Bundle.load(folder)
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} must be as it was written; .*: emit again"):
        Bundle.load(folder)


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"files": {}}', '{"top": "x"}'])
def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(ArtifactError, match=r"must be a bundle: manifest\.json"):
        Bundle.load(tmp_path)


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def drop(manifest: dict[str, Any]) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        del manifest[path[-1]]

    return drop


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without("sources"), "it has no 'sources'"),
        (without("models"), "it has no 'models'"),
        (without("device"), "it has no 'device'"),
        (without("sha256"), "it has no 'sha256'"),
        (without("streams"), "it has no 'streams'"),
        (without("streams", "m_axis", "lanes"), "it has no 'lanes'"),
        (without("files", "rtl/net.sv"), "files must list rtl/net.sv, and do not"),
        (lambda m: m.update(files=[]), "files must list design.intaglio, and do not"),
        (lambda m: m.update(top=3), "top must be a text, not 3"),
        (lambda m: m.update(top="x"), "sources must have a module x, not only "),
        (lambda m: m.update(placed={"top": "x"}), "it has no 'source'"),
    ],
)
def test_a_manifest_that_lacks_something_is_refused(
    design: Design, tmp_path: Path, damage: Callable[[dict[str, Any]], None], reason: str
) -> None:
    folder = emit(design, tmp_path / "bundle").folder
    manifest = json.loads((folder / MANIFEST).read_text())
    damage(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError) as error:
        Bundle.load(folder)
    assert str(error.value).startswith(f"{folder} must be a bundle: manifest.json: {reason}")


def test_a_checksum_that_is_not_of_the_files_is_noticed(design: Design, tmp_path: Path) -> None:
    folder = emit(design, tmp_path / "bundle").folder
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"manifest\.json must be as it was written"):
        Bundle.load(folder)


def test_an_old_bundle_is_replaced_whole(design: Design, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    emit(design, folder)
    (folder / "rtl" / "stale.sv").write_text("module stale; endmodule\n")
    fresh = emit(design, folder)
    assert not (folder / "rtl" / "stale.sv").exists()
    assert set(files(folder)) == {MANIFEST, *fresh.manifest["files"]}
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_with_other_files_is_left_alone(design: Design, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ArtifactError, match="must be empty or hold a bundle; it holds other files"):
        emit(design, tmp_path)
    assert files(tmp_path) == {"thesis.tex": b"precious"}
    with pytest.raises(ArtifactError, match=r"thesis\.tex must be a folder, not a file"):
        emit(design, tmp_path / "thesis.tex")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert emit(design, empty).folder == empty


def test_nothing_is_left_behind_when_writing_fails(
    design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = emit(design, tmp_path / "bundle")
    before = files(old.folder)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == MANIFEST:
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(bundles.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        emit(design, tmp_path / "bundle")
    assert files(tmp_path / "bundle") == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_an_interrupt_at_any_rename_leaves_a_whole_bundle(
    design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    old = emit(design, tmp_path / "bundle")
    rename, done = Path.replace, 0

    def interrupted(path: Path, target: Path) -> Path:
        nonlocal done
        if done == renames < 2:
            done += 1
            raise KeyboardInterrupt
        found, done = rename(path, target), done + 1
        if done == renames == 2:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(bundles.Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        emit(design, old.folder, np.zeros((1, 8, 8, 2), dtype=np.int64))
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert (Bundle.load(old.folder).sha256 == old.sha256) == (renames < 2)


def test_a_bundle_that_a_killed_run_has_put_aside_is_brought_back(
    design: Design, tmp_path: Path
) -> None:
    old = emit(design, tmp_path / "bundle")
    old.folder.rename(tmp_path / ".bundle.old")
    assert Bundle.load(old.folder) == old
    old.folder.rename(tmp_path / ".bundle.old")
    fresh = emit(design, old.folder)
    assert Bundle.load(fresh.folder) == fresh
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_run_killed_before_it_has_removed_the_old_bundle_leaves_the_new_one(
    design: Design, tmp_path: Path
) -> None:
    new = emit(design, tmp_path / "bundle")
    shutil.copytree(new.folder, tmp_path / ".bundle.old")
    (tmp_path / ".bundle.old" / MANIFEST).unlink()
    assert Bundle.load(new.folder) == new
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_the_manifest_is_readable_json_with_checksums_of_all_files(
    design: Design, tmp_path: Path
) -> None:
    folder = emit(design, tmp_path / "bundle").folder
    document = json.loads((folder / MANIFEST).read_text())
    assert set(document["files"]) == set(files(folder)) - {MANIFEST}
    assert document["device"] == "ecp5-25f"
    assert document["streams"]["m_axis"]["beats"] == design.output_stream.beats
