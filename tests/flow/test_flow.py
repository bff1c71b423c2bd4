# SPDX-License-Identifier: Apache-2.0
"""The verbs take what the one before them returns."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio.errors import InfeasibleError, ModelError
from intaglio.flow import (
    Bundle,
    Design,
    Scheme,
    device,
    emit,
    explore,
    explore_array,
    load,
    quantize,
    synthesize,
    tradeoffs,
    vivado_project,
)
from intaglio.ir.execute import run_frames
from intaglio.ir.graph import Program
from intaglio.rtl.bundle import Bundle as RtlBundle
from intaglio.tools import synthesis
from tests.cli.tiny import IMAGE, write_model
from tests.programs import convolutional

IMAGES = np.random.default_rng(5).random((6, *IMAGE), dtype=np.float32)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = write_model(tmp_path_factory.mktemp("flow") / "tiny.onnx", sizes=(1, "H", "W"))
    return quantize(load(path, shapes={"image": IMAGE}), IMAGES, Scheme.named("pow2"))


def test_every_verb_returns_what_the_next_one_takes(program: Program, tmp_path: Path) -> None:
    found = explore(program, device("ecp5-45f"))
    assert isinstance(found.best, Design)
    assert found.best.folds == found.folding.folds
    assert found.best.bottleneck.unit.interval <= found.folding.interval
    bundle = emit(found.best, tmp_path / "bundle", program.quantize_input(IMAGES))
    again = Bundle.load(bundle.folder)
    assert again == bundle
    frames = program.quantize_input(IMAGES)
    assert np.array_equal(
        run_frames(again.design().program.graph, frames), run_frames(program.graph, frames)
    )


def test_the_smallest_design_that_is_fast_enough(program: Program) -> None:
    target = device("ecp5-25f")
    fastest = explore(program, target).best
    slow = explore(program, target, target_fps=100e6 / 2000).best
    assert fastest.cycles.interval < slow.cycles.interval <= 2000
    assert slow.resources.lut < fastest.resources.lut
    half = explore(program, target, target_fps=100e6 / 2000, clock_mhz=50).best
    assert half.cycles.interval <= 1000
    with pytest.raises(InfeasibleError, match=r"must be at least \d+ cycles for this network"):
        explore(program, target, target_fps=100e6)


def test_the_quickest_design_and_the_smallest_quick_enough(program: Program) -> None:
    target = device("ecp5-25f")
    fastest = explore(program, target).best
    quickest = explore(program, target, objective="latency").best
    assert quickest.cycles.latency <= fastest.cycles.latency
    enough = 3 * quickest.cycles.latency
    slow = explore(program, target, target_latency_us=enough / 100).best
    assert quickest.cycles.latency < slow.cycles.latency <= enough
    assert slow.resources.lut < quickest.resources.lut
    with pytest.raises(InfeasibleError, match=r"a latency must be at least [\d,]+ cycles"):
        explore(program, target, target_latency_us=0.1)
    with pytest.raises(ModelError, match="a search must have one target, not both frames per"):
        explore(program, target, target_fps=1000, target_latency_us=100)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"target_fps": 0}, "target_fps must be a number above 0, not 0"),
        ({"target_fps": math.nan}, "target_fps must be a number above 0, not nan"),
        ({"target_fps": math.inf}, "target_fps must be a number above 0, not inf"),
        ({"target_latency_us": -1.0}, "target_latency_us must be a number above 0, not -1.0"),
        ({"clock_mhz": 0.0}, "clock_mhz must be a number above 0, not 0.0"),
        ({"logic_fill": 0.0}, "logic_fill must be above 0 and at most 1, not 0.0"),
        ({"fill": math.nan}, "fill must be above 0 and at most 1, not nan"),
        ({"fill": 1.5}, "fill must be above 0 and at most 1, not 1.5"),
        ({"target_latency_us": 1e300}, "a target must be at most 9,007,199,254,740,992 cycles"),
        ({"target_fps": 1, "clock_mhz": 1e308}, "a target must be at most 9,007,199,254,740,992"),
    ],
)
def test_a_number_that_cannot_be_is_refused_before_the_search(
    program: Program, numbers: dict[str, float], text: str
) -> None:
    with pytest.raises(ModelError) as error:
        explore(program, device("ecp5-25f"), **numbers)  # type: ignore[arg-type]
    assert str(error.value).startswith(text)


def test_shares_are_checked_by_every_search(program: Program) -> None:
    with pytest.raises(ModelError, match="logic_fill must be above 0 and at most 1, not 0"):
        tradeoffs(program, device("ecp5-25f"), logic_fill=0)
    with pytest.raises(ModelError, match="fill must be above 0 and at most 1, not 0"):
        explore_array(program, device("ecp5-25f"), fill=0)


@pytest.mark.parametrize("clock", [0.0, -5.0, math.nan, math.inf])
def test_a_project_has_a_clock_above_zero(program: Program, tmp_path: Path, clock: float) -> None:
    bundle = emit(explore(program, device("xc7a100t")).best, tmp_path / "b")
    with pytest.raises(ModelError, match=f"clock_mhz must be a number above 0, not {clock}"):
        vivado_project(bundle, clock_mhz=clock)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_synthesis_is_beside_the_bundle_unless_said_otherwise(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []

    def record(*arguments: Any, **options: Any) -> None:
        calls.append((arguments, options))

    monkeypatch.setattr(synthesis, "synthesize_sources", record)
    bundle: RtlBundle = emit(explore(program, device("ecp5-25f")).best, tmp_path / "b")
    synthesize(bundle)
    synthesize(bundle, output=tmp_path / "there", seed=7, progress=False)
    (beside, usual), (there, chosen) = calls
    assert beside == (
        *(tmp_path / "b", bundle.sources, "tiny", device("ecp5-25f")),
        tmp_path / "b.synth",
    )
    assert usual == {"seed": 1, "progress": True}
    assert there[-1] == tmp_path / "there"
    assert chosen == {"seed": 7, "progress": False}


def test_a_module_needs_an_example() -> None:
    with pytest.raises(ModelError) as stop:
        load(object())
    assert str(stop.value) == "a object must come with an example input: load(module, example=x)"


def test_tradeoffs_begin_with_the_fastest_and_use_the_whole_device_where_they_must() -> None:
    made, target = convolutional(), device("ecp5-25f")
    found = tradeoffs(made, target)
    assert found[0].folds == explore(made, target).folding.folds
    assert tradeoffs(made, target, fill=0.0001) == tradeoffs(made, target, fill=1.0, logic_fill=1.0)
