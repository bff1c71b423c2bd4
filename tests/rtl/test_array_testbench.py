# SPDX-License-Identifier: Apache-2.0
"""The bench inside an array's bundle, run as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.systolic.array import Array, Dataflow
from intaglio.arch.systolic.design import ArrayDesign
from intaglio.devices import device
from intaglio.errors import ArtifactError
from intaglio.rtl.array_bundle import design_of, emit_array
from intaglio.rtl.bundle import Bundle
from intaglio.tools.verilator import verilator_root
from tests.arch.systolic.test_layers import small
from tests.benches import run_bench


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    array = Array(3, 5, frozenset({Dataflow.OUTPUT_STATIONARY}), sum_bits=30)
    design = ArrayDesign.of(small().program(), device("ecp5-25f"), array)
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 2))
    return emit_array(design, tmp_path_factory.mktemp("bench") / "bundle", frames)


def run(bundle: Bundle, folder: Path, work: Path, runtime: Path) -> tuple[int, str]:
    sources = [*bundle.simulated, "sim/network_tb.sv"]
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


def test_what_is_placed_lints_clean(bundle: Bundle) -> None:
    sources, top = bundle.placed
    assert top == "network_pins"
    root = verilator_root()
    found = subprocess.run(
        [
            *(root / "bin" / "verilator_bin", "--lint-only", "-Wall", "--top-module", top),
            *(*bundle.simulated, sources[-1]),
        ],
        cwd=bundle.folder,
        env={**os.environ, "VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_a_bundle_says_which_architecture_it_holds(bundle: Bundle) -> None:
    assert bundle.architecture == "systolic"
    assert design_of(bundle).resources.dsp == 15 + 2 * 5
    with pytest.raises(ArtifactError, match="must hold a dataflow design for this, not a systolic"):
        bundle.design()
