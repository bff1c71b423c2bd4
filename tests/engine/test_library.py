# SPDX-License-Identifier: Apache-2.0
"""Compiling the kernels: once for a machine, where it may write, and with errors that say why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from intaglio.compiler import compiler_path
from intaglio.engine import engine, library
from intaglio.errors import ToolError
from intaglio.ir.execute import run_frames
from tests.programs import convolutional, residual


def test_a_compiler_that_fails_is_named_with_what_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'error: too old' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolError) as error:
        library.library.__wrapped__()
    assert str(error.value) == (f"{compiler} must compile kernels.cpp, not fail: error: too old")
    assert list((tmp_path / "intaglio").iterdir()) == []


def test_kernels_are_compiled_once_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "c++"
    count = tmp_path / "count"
    compiler.write_text(f'#!/bin/sh\necho >> {count}\nexec {compiler_path()} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library, "FLAGS", ("-O0", "-std=c++17", "-fPIC", "-shared"))
    for _ in range(2):
        library.library.__wrapped__()
    assert len(count.read_text().splitlines()) == 1
    assert [path.suffix for path in (tmp_path / "intaglio").iterdir()] == [".so"]


def test_without_a_place_to_keep_them_they_are_this_process_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = library._folder()
    assert folder.is_dir()
    assert library._folder() == folder
    assert tmp_path not in folder.parents


def test_a_process_s_own_folder_is_gone_when_it_ends(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "from intaglio.engine import library; print(library._folder())"],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_kernels_for_any_processor_give_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library, "FLAGS", ("-O1", "-std=c++17", "-fPIC", "-shared"))
    portable = library.library.__wrapped__()
    monkeypatch.setattr(sys.modules["intaglio.engine.machine"], "library", lambda: portable)
    for made in (convolutional(), residual()):
        shape = (50, *made.graph.inputs[0].type.shape)
        frames = np.random.default_rng(0).integers(0, 256, shape)
        np.testing.assert_array_equal(engine(made).frames(frames), run_frames(made.graph, frames))
