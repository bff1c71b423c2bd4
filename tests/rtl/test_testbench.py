# SPDX-License-Identifier: Apache-2.0
"""The bench inside a bundle, run as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.explore.folding import best_throughput
from intaglio.rtl.bundle import Bundle, emit
from tests.benches import run_bench
from tests.programs import convolutional


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    made, target = convolutional("letters"), device("ecp5-25f")
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 2))
    design = dataflow(made, target, best_throughput(made, target).folds)
    return emit(design, tmp_path_factory.mktemp("bench") / "bundle", frames)


def run(bundle: Bundle, folder: Path, work: Path, runtime: Path) -> tuple[int, str]:
    sources = [*bundle.simulated, "sim/letters_tb.sv"]
    found = run_bench(folder, sources, "letters_tb", work, runtime)
    return found.returncode, found.stdout


def test_the_bench_passes_without_a_warning(bundle: Bundle, tmp_path: Path, runtime: Path) -> None:
    status, text = run(bundle, bundle.folder, tmp_path, runtime)
    beats = 3 * bundle.design().output_stream.beats
    assert status == 0, text
    assert f"PASSED: {beats} beats equal" in text


def test_the_bench_fails_where_a_beat_differs(
    bundle: Bundle, tmp_path: Path, runtime: Path
) -> None:
    copy = shutil.copytree(bundle.folder, tmp_path / "bundle")
    vectors = copy / "vectors" / "expected.hex"
    first, *rest = vectors.read_text().splitlines()
    other = f"{int(first, 16) ^ 1:0{len(first)}x}"
    vectors.write_text("\n".join([other, *rest]) + "\n")
    status, text = run(bundle, copy, tmp_path / "work", runtime)
    assert status != 0
    assert f"beat 0: expected {other}, found {first}" in text
    assert "FAILED: 1 of" in text


def test_the_command_in_its_header_names_the_bench(bundle: Bundle) -> None:
    text = (bundle.folder / "sim" / "letters_tb.sv").read_text()
    assert "--top letters_tb\n" in text
    assert "// verilator" not in text  # such a comment would be a directive
