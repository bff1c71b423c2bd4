# SPDX-License-Identifier: Apache-2.0
"""The demo stops and goes on at every stage; what takes minutes is replaced by what it returns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio.cli import main
from intaglio.errors import IntaglioError
from intaglio.flow import demo as module
from intaglio.flow.demo import STAGES, Schedule, demo
from intaglio.report import report as report_module
from intaglio.report.report import Report
from intaglio.tools import synthesis as synthesis_module
from intaglio.tools.netlist import Cells
from intaglio.tools.nextpnr import Placed
from intaglio.tools.simulation import Run
from intaglio.tools.synthesis import Synthesis
from intaglio.train import trainer

IMAGES = 3
#: What a whole run is measured by; `summary.json` promises these.
PROMISED = [
    "float_accuracy",
    "integer_accuracy",
    "images_simulated",
    "bit_mismatches",
    "cycles_predicted",
    "cycles_simulated",
    "latency_predicted",
    "latency_simulated",
    "multipliers",
    "multiplier_busy",
    "lut",
    "dsp",
    "bram",
    "fmax_mhz",
    "fps",
    "bitstream",
    "seconds",
]


def placed(bundle: Any, *, output: Path, **_: object) -> Synthesis:
    output.mkdir()
    (output / "design.bit").write_bytes(b"bits")
    return Synthesis(
        key="k", top=bundle.top, device="ecp5-85f", seed=1,
        cells=Cells(10_500, 9_000, 141, 42, {}),
        placed=Placed(10_000, 9_000, 141, 42, 30, 110.0, "a to b"),
        bitstream="design.bit", bitstream_sha256="", seconds={}, tools={},
    )  # fmt: skip


def simulated(bundle: Any, data: Any, **_: object) -> Run:
    cycles = bundle.manifest["cycles"]
    latency, interval = cycles["latency"], cycles["interval"]
    return Run(len(data), 0, 0, False, latency, latency, interval, interval, 1, 0.1, 0.1)


@dataclass
class Verbs:
    """The verb each stage rests on: counted, and interrupted on demand."""

    patch: pytest.MonkeyPatch
    interrupted: str = ""
    done: Counter[str] = field(default_factory=Counter)

    def put(self, stage: str, owner: Any, name: str, verb: Callable[..., Any]) -> None:
        def counted(*args: Any, **options: Any) -> Any:
            if stage == self.interrupted:
                raise KeyboardInterrupt
            result = verb(*args, **options)
            self.done[stage] += 1
            return result

        self.patch.setattr(owner, name, counted)


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch) -> Verbs:
    verbs = Verbs(monkeypatch)
    monkeypatch.setitem(module.SCHEDULES, "digits", Schedule(1, 64, 3e-3))
    monkeypatch.setattr(synthesis_module, "load_synthesis", lambda _: None)
    verbs.put("train", trainer, "train", trainer.train)
    verbs.put("quantize", module, "quantize", module.quantize)
    verbs.put("explore", module, "explore", module.explore)
    verbs.put("emit", module, "emit", module.emit)
    verbs.put("simulate", module, "simulate", simulated)
    verbs.put("synthesize", module, "synthesize", placed)
    verbs.put("report", report_module, "report", lambda *_, **__: Report("<html>", "page"))
    return verbs


def test_ctrl_c_at_any_stage_loses_nothing(
    verbs: Verbs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["demo", "-o", str(tmp_path), "-n", str(IMAGES)]
    for index, stage in enumerate(STAGES):
        verbs.interrupted = stage
        assert main(words) == 130
        assert capsys.readouterr().err.endswith(
            "intaglio: interrupted; the same command goes on from what is done\n"
        )
        assert verbs.done == Counter(STAGES[:index])
        assert not (tmp_path / "summary.json").exists()
    verbs.interrupted = ""
    assert main(words) == 0
    assert verbs.done == Counter(STAGES)
    first = (tmp_path / "summary.json").read_text()
    assert main(words) == 0
    assert verbs.done == Counter(STAGES)
    assert (tmp_path / "summary.json").read_text() == first
    figures = json.loads(first)
    assert set(PROMISED) <= set(figures)
    assert (figures["images_simulated"], figures["bit_mismatches"]) == (IMAGES, 0)
    assert figures["fps"] == round(110e6 / figures["cycles_simulated"], 1)
    assert Path(figures["bitstream"]).read_bytes() == b"bits"
    assert set(figures["seconds"]) == set(STAGES)


def test_it_stops_where_it_is_told_to_and_goes_on(
    verbs: Verbs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["demo", "-o", str(tmp_path), "-n", str(IMAGES)]
    assert main([*words, "--until", "quantize"]) == 0
    assert verbs.done == Counter(["train", "quantize"])
    assert "integer_accuracy" in capsys.readouterr().out
    figures = json.loads((tmp_path / "summary.json").read_text())
    assert "multipliers" not in figures
    assert main([*words, "--until", "simulate", "--json"]) == 0
    assert verbs.done == Counter(STAGES[:5])
    figures = json.loads(capsys.readouterr().out)
    assert figures["cycles_predicted"] == figures["cycles_simulated"]
    assert main([*words[:-1], "4", "--until", "simulate"]) == 0
    assert verbs.done["simulate"] == 2
    assert verbs.done["emit"] == 1


def test_what_cannot_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    with pytest.raises(IntaglioError) as stop:
        demo(out, until="never")
    assert str(stop.value) == (
        "until must be one of train, quantize, explore, emit, simulate, synthesize, report, "
        "not 'never'"
    )
    assert main(["demo", "-o", str(out), "-n", "501"]) == 2
    assert capsys.readouterr().err == "intaglio: the number of images must be 1..500, not 501\n"
    assert main(["demo", "-o", str(out), "--data", str(out)]) == 2
    assert capsys.readouterr().err == (
        f"intaglio: {out} must be a folder of data; there is no such folder\n"
    )
    np.savez(
        tmp_path / "other.npz",
        **{f"x_{part}": np.zeros((1, 28, 28), np.uint8) for part in ("train", "test")},
        **{f"y_{part}": np.zeros(1, np.int64) for part in ("train", "test")},
    )
    assert main(["demo", "-o", str(out), "--data", str(tmp_path / "other.npz")]) == 2
    said = "intaglio: the demo's data must be MNIST's, not other; use `train`\n"
    assert capsys.readouterr().err == said
    assert not out.exists()
