# SPDX-License-Identifier: Apache-2.0
"""The bench inside an array's bundle, run as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.devices import device
from intaglio.rtl.array_bundle import emit_array
from intaglio.rtl.bundle import Bundle
from tests.arch.systolic.test_layers import small
from tests.benches import run_bench


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    array = Array(3, 5, frozenset({Dataflow.OUTPUT_STATIONARY}), sum_bits=30)
    design = ArrayDesign.of(small().program(), device("ecp5-25f"), array)
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 2))
    return emit_array(design, tmp_path_factory.mktemp("bench") / "bundle", frames)


def run(bundle: Bundle, folder: Path, work: Path, runtime: Path) -> tuple[int, str]:
    sources = [*bundle.sources, *bundle.models, "sim/network_tb.sv"]
    found = run_bench(folder, sources, "network_tb", work, runtime)
    return found.returncode, found.stdout


def test_the_bench_passes_without_a_warning(bundle: Bundle, tmp_path: Path, runtime: Path) -> None:
    status, text = run(bundle, bundle.folder, tmp_path, runtime)
    assert status == 0, text
    assert f"PASSED: 3 frames equal, {bundle.manifest['cycles']['frame']} cycles each" in text


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
    assert f"frame 0, beat 0: expected {other}, found {first}" in text
    assert "FAILED: 1 differences" in text
