# SPDX-License-Identifier: Apache-2.0
"""What does LeNet-5 reach on MNIST, or NIN on CIFAR-10, in floats and trained in few bits?

    .venv/bin/python benchmarks/accuracy.py FOLDER --data DIR [--only NAME ..] [--json]
    .venv/bin/python benchmarks/accuracy.py FOLDER --network nin --data DIR --device cuda

DIR has MNIST's IDX files, or CIFAR-10. All training images are trained on; the test images in DIR
judge once, after the last epoch, floats and integers. Seeds are fixed. The float network is
trained first, the others start from it; FOLDER/float.onnx is for `intaglio sweep`, which quantizes
it without training. Stopped and started again it goes on where it was: FOLDER
has checkpoints, and a result for each network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from intaglio.artifact import write_json
from intaglio.engine import engine
from intaglio.frontend import load
from intaglio.quantize.program import quantize
from intaglio.train.augment import Jitter
from intaglio.train.data import Dataset, load_dataset
from intaglio.train.export import export_onnx
from intaglio.train.metrics import accuracy
from intaglio.train.quantized import QatScheme, calibrate, frozen, prepare
from intaglio.train.recipe import OptimizerName, Precision, Recipe
from intaglio.train.trainer import train
from intaglio.train.zoo.lenet5 import LeNet5
from intaglio.train.zoo.nin import Nin

SEED, START_IMAGES = 0, 512


@dataclass(frozen=True)
class Case:
    """A network to train, and what it must reach: a share, or a distance from the float one."""

    name: str
    scheme: QatScheme | None
    epochs: int
    learning_rate: float
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    at_least: float = 0.0
    within: float = 1.0


@dataclass(frozen=True)
class Suite:
    """A network, and what is trained of it; the float one first."""

    make: Callable[[int], nn.Module]
    batch_size: int
    augment: Jitter
    precision: Precision
    cases: tuple[Case, ...]


SUITES = {
    "lenet5": Suite(
        LeNet5,
        256,
        # A little distortion: the digits are as upright as those to be judged by.
        Jitter(shift_pixels=1.5, turn_degrees=8.0, stretch=0.08, slant=0.08),
        "float32",
        (
            Case("float", None, 15, 4e-3, at_least=0.990),
            Case("w2a2", QatScheme(2, 2), 15, 2e-3, at_least=0.985),
            Case(
                "binary weights, a2",
                QatScheme(1, 2, "binary", per_channel=True),
                15,
                2e-3,
                at_least=0.975,
            ),
            Case("CLIP-Q p=0.4 b=2", QatScheme(2, 8, "clipq", prune=0.4), 15, 1e-3, within=0.003),
        ),
    ),
    "nin": Suite(
        lambda seed: Nin(10, seed),
        64,
        Jitter(shift_pixels=3.0, turn_degrees=0.0, stretch=0.1, slant=0.0, mirror=True),
        "bfloat16",  # a step of one core takes a third of the time
        (
            Case("float", None, 50, 0.05, "sgd", 5e-4),
            Case("w4a4", QatScheme(4, 4), 20, 5e-4, within=0.005),
            Case("CLIP-Q p=0.4 b=2", QatScheme(2, 8, "clipq", prune=0.4), 20, 5e-4, within=0.01),
        ),
    ),
}


def main() -> int:
    """Train what is not trained yet, print, and return 1 where a network misses its mark."""
    arguments = _arguments()
    suite = SUITES[arguments.network]
    known = [case.name for case in suite.cases]
    if arguments.only and not set(arguments.only) <= set(known):
        sys.exit(f"--only must be some of {', '.join(known)}")
    bench = Bench(suite, load_dataset(arguments.data), arguments.folder, arguments.device)
    wanted = [case for case in suite.cases if not arguments.only or case.name in arguments.only]
    rows = [bench.row(case) for case in wanted]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        head = f"{'network':<20} {'accuracy':>9} {'integers':>9} {'mark':>9} {'epochs':>7}"
        print(f"{head} {'seconds':>8}")
        for row in rows:
            integers = "-" if row["integers"] is None else f"{row['integers']:.2%}"
            print(
                f"{row['name']:<20} {row['accuracy']:>9.2%} {integers:>9} {row['mark']:>9.2%} "
                f"{row['epochs']:>7} {row['seconds']:>8.0f}"
            )
    return int(any(_reached(row) < row["mark"] for row in rows))


def _reached(row: dict[str, Any]) -> float:
    """Return what counts: what the integers reach, where there are such."""
    return float(row["accuracy"] if row["integers"] is None else row["integers"])


def _integer_accuracy(model: nn.Module, data: Dataset) -> float:
    """Return what the program of a network trained in few bits is right about."""
    program = quantize(load(model, example=torch.tensor(data.test_images[:1])))
    codes = engine(program).frames(program.quantize_input(data.test_images))
    scores = program.quantization[program.graph.outputs[0]].dequantize(codes)
    return float((scores.reshape(len(scores), -1).argmax(axis=1) == data.test_labels).mean())


@dataclass(frozen=True)
class Bench:
    """A suite on its data, with what is done of it in a folder."""

    suite: Suite
    data: Dataset
    folder: Path
    device: str

    def row(self, case: Case) -> dict[str, Any]:
        """Return a network's result, from its file or by training."""
        file, data = self.folder / f"{case.name}.json", self.data
        settings = {
            "scheme": None if case.scheme is None else case.scheme.to_json(),
            "recipe": self.recipe(case).to_json(),
            "data": data.sha256,
        }
        if file.exists():
            row: dict[str, Any] = json.loads(file.read_text())
            if "integers" in row and row["settings"] == json.loads(json.dumps(settings)):
                return row
        first = self.suite.cases[0]
        base = None if case is first else self.row(first)["accuracy"]
        model: nn.Module = self.suite.make(SEED)
        if case.scheme is not None:
            self.train(model, first)  # done already: reads the weights
            model = prepare(model, case.scheme)
            calibrate(model, torch.tensor(data.train_images[:START_IMAGES]))
        seconds = self.train(model, case)
        if case.scheme is None:
            example = torch.tensor(data.train_images[:1])
            export_onnx(model, self.folder / f"{case.name}.onnx", example)
        else:
            model = frozen(model)
        row = {
            "name": case.name,
            "accuracy": accuracy(model, data.test_images, data.test_labels),
            "integers": None if case.scheme is None else _integer_accuracy(model, data),
            "mark": case.at_least if base is None else max(case.at_least, base - case.within),
            "epochs": case.epochs,
            "seconds": seconds,
            "settings": settings,
        }
        write_json(file, row)
        return row

    def recipe(self, case: Case) -> Recipe:
        """Return how a network is trained."""
        return Recipe(
            case.epochs,
            self.suite.batch_size,
            case.learning_rate,
            SEED,
            case.optimizer,
            weight_decay=case.weight_decay,
            augment=self.suite.augment,
            precision=self.suite.precision,
        )

    def train(self, model: nn.Module, case: Case) -> float:
        """Train a network, or go on, and return the seconds that took."""
        found = train(
            model,
            self.data,
            self.recipe(case),
            self.folder / f"{case.name}.checkpoint",
            device=self.device,
        )
        return found.seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="for checkpoints and results")
    parser.add_argument("--network", choices=list(SUITES), default="lenet5")
    parser.add_argument("--data", type=Path, required=True, help="MNIST or CIFAR-10")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these networks alone")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
