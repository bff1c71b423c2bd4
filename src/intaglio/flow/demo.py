# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 from training to a bitstream: every stage of the package on real digits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from intaglio import artifact
from intaglio.arch.store import read_design, save_design
from intaglio.errors import IntaglioError
from intaglio.flow import (
    device,
    emit,
    evaluate,
    explore,
    load,
    quantize,
    simulate,
    synthesize,
    tradeoffs,
)
from intaglio.flow.stages import Stages
from intaglio.ops.store import load_program, save_program
from intaglio.quantize.scheme import Scheme
from intaglio.report.summary import aligned, design_document, synthesis_document
from intaglio.rtl.bundle import Bundle
from intaglio.train import require

if TYPE_CHECKING:
    from intaglio.train.data.dataset import Dataset

STAGES = ("train", "quantize", "explore", "emit", "simulate", "synthesize", "report")
DEFAULT_IMAGES = 100
DEVICE = "ecp5-85f"
#: Tables and flip-flops that the demo may take: so few are placed and routed in minutes.
LOGIC_FILL = 0.15
#: Enough to see the whole range of every value; more changes no figure of either data set.
CALIBRATION_IMAGES = 512
#: Of the placer: chosen once, as its result varies by some MHz from seed to seed.
SEED = 1


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train on a data set."""

    epochs: int
    batch_size: int
    learning_rate: float


#: Measured on one core: digits above 99 % in 5 seconds, MNIST above 99.4 % in 70.
SCHEDULES = {
    "digits": Schedule(epochs=30, batch_size=64, learning_rate=3e-3),
    "mnist": Schedule(epochs=10, batch_size=256, learning_rate=4e-3),
}
TRAIN_SEED = 0


@dataclass(frozen=True)
class Summary:
    """What the demo found, as JSON types; stages that were not run leave their figures out."""

    document: Mapping[str, Any]

    def __str__(self) -> str:
        rows = [("figure", "value")]
        for name, value in self.document.items():
            if name == "seconds":
                continue
            rows.append((name, f"{value:,}" if isinstance(value, int | float) else str(value)))
        for name, value in self.document["seconds"].items():
            rows.append((f"seconds {name}", f"{value:,}"))
        return "\n".join(aligned(rows))


@dataclass(frozen=True)
class _Paths:
    """Where the demo leaves its things."""

    folder: Path

    def checkpoint(self, data: str) -> Path:
        return self.folder / f"lenet5-{data}.checkpoint"

    @property
    def model(self) -> Path:
        return self.folder / "lenet5.onnx"

    @property
    def program(self) -> Path:
        return self.folder / "lenet5.program"

    @property
    def design(self) -> Path:
        return self.folder / "lenet5.design"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def synthesis(self) -> Path:
        return self.folder / "bundle.synth"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"


def demo(
    folder: Path,
    *,
    data: Path | None = None,
    until: str = STAGES[-1],
    images: int = DEFAULT_IMAGES,
    progress: bool = True,
) -> Summary:
    """Run every stage up to `until` that is not done yet, and write `summary.json`.

    Args:
        folder: for all results.
        data: folder of MNIST IDX files; scikit-learn's handwritten digits without it.
        until: last stage to run, one of `STAGES`.
        images: test images to send through Verilator.
        progress: show which stage runs.

    Raises:
        IntaglioError: as the stages do; what is done by then stays, and the next run goes on.
    """
    from intaglio.train.data import load_dataset

    if until not in STAGES:
        raise IntaglioError(f"until must be one of {', '.join(STAGES)}, not {until!r}")
    dataset = load_dataset(data)
    if dataset.name not in SCHEDULES:
        raise IntaglioError(f"the demo's data must be MNIST's, not {dataset.name}; use `train`")
    if not 1 <= images <= len(dataset.test_images):
        raise IntaglioError(
            f"the number of images must be 1..{len(dataset.test_images)}, not {images}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    run = _Demo(_Paths(folder), Stages(folder), dataset, images, data, progress)
    results: dict[str, dict[str, Any]] = {}
    wanted = STAGES[: STAGES.index(until) + 1]
    for stage in (bar := tqdm(wanted, "demo", unit="stage", disable=not progress)):
        bar.set_postfix_str(stage)
        results[stage] = getattr(run, stage)(results)
    summary = Summary(_summary(run, results))
    artifact.write_json(folder / "summary.json", summary.document)
    return summary


@dataclass(frozen=True)
class _Demo:
    """The stages: each reads what the one before it wrote."""

    paths: _Paths
    stages: Stages
    dataset: Dataset
    images: int
    data: Path | None
    progress: bool

    def train(self, _: Mapping[str, Any]) -> dict[str, Any]:
        schedule = SCHEDULES[self.dataset.name]
        checkpoint = self.paths.checkpoint(self.dataset.name)

        def work() -> dict[str, Any]:
            require("torch", "torch", "training")
            import torch

            from intaglio.train.augment import Jitter
            from intaglio.train.export import export_onnx
            from intaglio.train.recipe import Recipe
            from intaglio.train.trainer import train
            from intaglio.train.zoo.lenet5 import LeNet5

            model = LeNet5(TRAIN_SEED)
            recipe = Recipe(**asdict(schedule), seed=TRAIN_SEED, augment=Jitter())
            found = train(model, self.dataset, recipe, checkpoint, progress=self.progress)
            export_onnx(model, self.paths.model, torch.zeros(1, 1, 28, 28))
            checkpoint.unlink()
            return {"accuracy": found.accuracy, "epochs": found.epochs}

        inputs = [self.dataset.sha256, asdict(schedule), TRAIN_SEED]
        return self.stages.run("train", inputs, [self.paths.model], work)

    def quantize(self, _: Mapping[str, Any]) -> dict[str, Any]:
        scheme = Scheme.named("int8")

        def work() -> dict[str, Any]:
            graph = load(self.paths.model)
            program = quantize(graph, self.dataset.train_images[:CALIBRATION_IMAGES], scheme)
            save_program(self.paths.program, program, model_sha256=_sha256(self.paths.model))
            found = evaluate(graph, program, self.dataset.test_images, self.dataset.test_labels)
            return found.to_json()

        inputs = [_sha256(self.paths.model), str(scheme), CALIBRATION_IMAGES, self.dataset.sha256]
        return self.stages.run("quantize", inputs, [self.paths.program], work)

    def explore(self, _: Mapping[str, Any]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            program = load_program(self.paths.program)
            design = explore(program, device(DEVICE), logic_fill=LOGIC_FILL).best
            save_design(self.paths.design, design)
            return design_document(design)

        inputs = [_sha256(self.paths.program), DEVICE]
        return self.stages.run("explore", inputs, [self.paths.design], work)

    def emit(self, _: Mapping[str, Any]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            design = read_design(self.paths.design)
            frames = design.program.quantize_input(self.dataset.test_images[:4])
            return {"sha256": emit(design, self.paths.bundle, frames).sha256}

        return self.stages.run("emit", [_sha256(self.paths.design)], [self.paths.bundle], work)

    def simulate(self, results: Mapping[str, Any]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            bundle = Bundle.load(self.paths.bundle)
            data = self.dataset.test_images[: self.images]
            return simulate(bundle, data, progress=self.progress).to_json()

        inputs = [results["emit"]["sha256"], self.images, self.dataset.sha256]
        return self.stages.run("simulate", inputs, [], work)

    def synthesize(self, results: Mapping[str, Any]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            bundle = Bundle.load(self.paths.bundle)
            found = synthesize(
                bundle, output=self.paths.synthesis, seed=SEED, progress=self.progress
            )
            return synthesis_document(bundle.design(), found)

        inputs = [results["emit"]["sha256"], SEED]
        return self.stages.run("synthesize", inputs, [self.paths.synthesis], work)

    def report(self, results: Mapping[str, Any]) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            from intaglio.report.report import report
            from intaglio.tools.simulation import Run
            from intaglio.tools.synthesis import load_synthesis

            graph, design = load(self.paths.model), read_design(self.paths.design)
            figures = {k: v for k, v in results["simulate"].items() if k != "seconds"}
            images, labels = self.dataset.test_images, self.dataset.test_labels
            report(
                graph,
                design.program,
                evaluation=evaluate(graph, design.program, images, labels),
                images=images,
                labels=labels,
                design=design,
                run=Run(**figures),
                synthesis=load_synthesis(self.paths.synthesis),
                front=tradeoffs(design.program, design.device),
                commands=_commands(self.paths, self.data),
                provenance={
                    "model sha256": _sha256(self.paths.model),
                    "program sha256": _sha256(self.paths.program),
                    "bundle sha256": results["emit"]["sha256"],
                    "data set": f"{self.dataset.name}, sha256 {self.dataset.sha256}",
                },
            ).save(self.paths.report)
            return {"report": self.paths.report.name}

        inputs = [results["emit"]["sha256"], results["simulate"], results["synthesize"]]
        return self.stages.run("report", inputs, [self.paths.report], work)


def _summary(run: _Demo, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Gather the figures of the stages that ran."""
    document: dict[str, Any] = {"data": run.dataset.name, "device": DEVICE}
    if found := results.get("quantize"):
        document["float_accuracy"] = found["float_accuracy"]
        document["integer_accuracy"] = found["integer_accuracy"]
        document["test_images"] = found["count"]
    if found := results.get("simulate"):
        document["images_simulated"] = found["images"]
        document["bit_mismatches"] = found["bit_mismatches"]
        document["cycle_mismatches"] = found["cycle_mismatches"]
        document["cycles_predicted"] = found["interval_predicted"]
        document["cycles_simulated"] = found["interval_simulated"]
        document["latency_predicted"] = found["latency_predicted"]
        document["latency_simulated"] = found["latency_simulated"]
    if found := results.get("explore"):
        document["multipliers"] = found["multipliers"]
        document["multiplier_busy"] = found["multiplier_busy"]
        document |= {f"{kind}_predicted": cells for kind, cells in found["estimated"].items()}
    if found := results.get("synthesize"):
        document |= found["placed"]
        document |= {f"{kind}_error": share for kind, share in found["error"].items()}
        document["fmax_mhz"] = round(found["fmax_mhz"], 2)
        document["fps"] = round(found["fps"], 1)
        document["bitstream"] = _relative(run.paths.synthesis / found["bitstream"])
    if "report" in results:
        document["report"] = _relative(run.paths.report)
    document["seconds"] = {stage: result["seconds"] for stage, result in results.items()}
    return document


def _relative(path: Path) -> str:
    """Return a path as seen from where the command runs, the project's root for `make demo`."""
    return os.path.relpath(path)


def _commands(paths: _Paths, data: Path | None) -> tuple[str, ...]:
    source = f" --data {data}" if data else ""
    return (f"intaglio demo{source} -o {_relative(paths.folder)}",)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
