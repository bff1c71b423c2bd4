# SPDX-License-Identifier: Apache-2.0
"""The proof itself: it passes what is right, and finds and names what is wrong."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intaglio import artifact
from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design
from intaglio.devices import device
from intaglio.errors import ModelError, ToolError, VerificationError
from intaglio.hw.timing import Timing
from intaglio.hw.unit import Fold
from intaglio.ir.execute import trace
from intaglio.rtl.bundle import MANIFEST, Bundle, emit
from intaglio.tools.simulation import Run, simulate
from intaglio.tools.verilator import Stalls
from tests.programs import convolutional

FOLDS = {
    "conv": Fold(1, 3, 2),
    "scaled": Fold(2, 1, 2),
    "pool": Fold(2, 1, 2),
    "flat": Fold(),
    "dense": Fold(2, 1, 5),
}
FRAMES = np.random.default_rng(3).integers(0, 256, (4, 8, 8, 2))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    design = dataflow(convolutional(), device("ecp5-25f"), FOLDS)
    return emit(design, tmp_path_factory.mktemp("simulation") / "bundle")


Simulate = Callable[..., Run]


@pytest.fixture
def run(runtime: Path, tmp_path: Path) -> Simulate:
    """Simulate a bundle the quick way."""

    def quick(bundle: Bundle, frames: np.ndarray = FRAMES, stalls: Stalls | None = None) -> Run:
        return simulate(
            bundle,
            frames,
            work=tmp_path / "work",
            stalls=stalls,
            runtime=runtime,
            optimize="-O0",
            progress=False,
        )

    return quick


def changed(bundle: Bundle, folder: Path, name: str, change: Callable[[str], str]) -> Bundle:
    """Copy a bundle, change one of its files, and give it the manifest of an honest one."""
    shutil.copytree(bundle.folder, folder)
    before = (folder / name).read_text()
    after = change(before)
    assert after != before
    (folder / name).write_text(after)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = hashlib.sha256(after.encode()).hexdigest()
    manifest["sha256"] = artifact.content_hash("bundle", manifest["files"], {})
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return Bundle.load(folder)


def test_frames_the_program_does_not_take_are_refused_before_anything_is_built(
    bundle: Bundle, run: Simulate, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="must be given at least one image, not none"):
        run(bundle, FRAMES[:0])
    with pytest.raises(ModelError, match="input 'x' must hold u8 integers"):
        run(bundle, FRAMES + 300)
    with pytest.raises(ModelError, match="input 'x' must be"):
        run(bundle, FRAMES[:, :, :, :1])
    assert not (tmp_path / "work").exists()


def test_a_right_bundle_gives_figures_that_agree(bundle: Bundle, run: Simulate) -> None:
    found = run(bundle)
    cycles = bundle.design().cycles
    assert found.images == 4
    assert found.bit_mismatches == found.cycle_mismatches == 0
    assert found.latency_predicted == found.latency_simulated == cycles.latency
    assert found.interval_predicted == found.interval_simulated == cycles.interval
    assert found.cycles == cycles.latency + 3 * cycles.interval + 1
    assert str(found).startswith(
        f"4 images: 0 bits different, 0 cycles different; latency {cycles.latency:,}, "
        f"interval {cycles.interval:,} cycles; "
    )
    assert json.loads(json.dumps(found.to_json()))["interval_simulated"] == cycles.interval


def test_random_stalls_change_the_cycles_and_no_bit(bundle: Bundle, run: Simulate) -> None:
    free = run(bundle)
    held = run(bundle, stalls=Stalls(0.5, 0.5, seed=2))
    assert held.stalled
    assert held.bit_mismatches == 0
    assert held.cycles > free.cycles
    assert "under random stalls, bits only" in str(held)
    assert run(bundle, stalls=Stalls(0.5, 0.5, seed=2)).cycles == held.cycles
    assert run(bundle, stalls=Stalls(0.5, 0.5, seed=3)).cycles != held.cycles


def test_one_image_is_enough(bundle: Bundle, run: Simulate) -> None:
    found = run(bundle, FRAMES[:1])
    assert found.interval_simulated == found.interval_predicted == found.latency_simulated


@pytest.mark.parametrize("layer", ["conv", "dense"])
def test_a_wrong_weight_is_found_and_its_first_effect_named(
    bundle: Bundle, run: Simulate, tmp_path: Path, layer: str
) -> None:
    def other(text: str) -> str:
        first, *rest = text.splitlines()
        return "\n".join([f"{int(first, 16) ^ 1:0{len(first)}x}", *rest]) + "\n"

    broken = changed(bundle, tmp_path / "broken", f"mem/{layer}_weight_0.hex", other)
    with pytest.raises(VerificationError) as caught:
        run(broken)
    text = str(caught.value)
    kind = {"conv": "conv2d", "dense": "matmul"}[layer]
    where = r"row (\d+), column (\d+), channel (\d+)" if layer == "conv" else r"channel (\d+)"
    found = re.fullmatch(
        rf"image 0, layer {layer} \({kind}\), {where} of image 0: expected (-?\d+), "
        r"found (-?\d+); waveform: (.*)",
        text,
    )
    assert found, text
    *place, expected, seen, waveform = found.groups()
    design = bundle.design()
    values = trace(design.graph, {"x": FRAMES})[layer][0]
    assert values[tuple(map(int, place))] == int(expected) != int(seen)
    assert Path(waveform).read_text().startswith("$version")


def test_a_difference_in_a_later_image_names_that_image(
    bundle: Bundle, run: Simulate, tmp_path: Path
) -> None:
    frames = FRAMES.copy()
    frames[:2] = 0  # a weight of the first layer does not show in an image of zeros
    broken = changed(
        bundle,
        tmp_path / "broken",
        "mem/conv_weight_0.hex",
        lambda text: (
            f"{int(text.split()[0], 16) ^ 1:0{len(text.split()[0])}x}"
            + text[len(text.split()[0]) :]
        ),
    )
    with pytest.raises(VerificationError, match=r"image 2, layer conv .* of image 2: expected"):
        run(broken, frames)


def test_a_wrong_prediction_of_cycles_is_found(
    bundle: Bundle, run: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Design.timing
    cycles = bundle.design().cycles

    def wrong(design: Design, frames: int) -> Timing:
        found = honest(design, frames)
        *rest, last = found.frames
        return replace(found, frames=(*rest, replace(last, last_out=last.last_out + 1)))

    monkeypatch.setattr(Design, "timing", wrong)
    end = cycles.latency + 3 * cycles.interval
    with pytest.raises(VerificationError) as caught:
        run(bundle)
    assert str(caught.value) == (
        f"image 3, last beat out: predicted at cycle {end + 1}, simulated at {end} (network)"
    )
    assert run(bundle, stalls=Stalls(0.2, 0.2)).stalled  # under stalls cycles are not compared


def test_a_design_that_stops_is_told_from_one_that_is_wrong(
    bundle: Bundle, run: Simulate, tmp_path: Path
) -> None:
    def stuck(text: str) -> str:
        return text.replace(
            "assign m_axis_tvalid = dense_out_valid;",
            "assign m_axis_tvalid = dense_out_valid && rst;",
        )

    broken = changed(bundle, tmp_path / "broken", "rtl/network.sv", stuck)
    with pytest.raises(VerificationError, match="image 0, the output stops too early; waveform"):
        run(broken)


def test_a_missing_last_mark_is_a_difference(bundle: Bundle, run: Simulate, tmp_path: Path) -> None:
    def unmarked(text: str) -> str:
        text = text.replace(".last_o(m_axis_tlast)", ".last_o(unused_last)")
        return text.replace("  logic clk, rst;", "  logic clk, rst, unused_last;\n").replace(
            "  assign clk = aclk;", "  assign clk = aclk;\n  assign m_axis_tlast = 1'b1;"
        )

    broken = changed(bundle, tmp_path / "broken", "rtl/network.sv", unmarked)
    with pytest.raises(VerificationError, match="image 0, no layer gives a wrong element"):
        run(broken)


def test_an_assertion_in_the_hardware_ends_the_run(
    bundle: Bundle, run: Simulate, tmp_path: Path
) -> None:
    def asserting(text: str) -> str:
        return text.replace(
            "endmodule",
            '  always_ff @(posedge aclk) assert (!m_axis_tvalid) else $error("no");\nendmodule',
        )

    broken = changed(bundle, tmp_path / "broken", "rtl/network.sv", asserting)
    with pytest.raises(ToolError, match=r"bench must end with status 0, .*simulation\.log"):
        run(broken)
