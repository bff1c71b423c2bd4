# SPDX-License-Identifier: Apache-2.0
"""`intaglio train`: its words become a training, and what they may not be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio.ops.store import load_program
from intaglio.train.job import Job
from intaglio.train.quantized import Override, QatScheme
from intaglio.train.trained import Trained
from intaglio.train.trainer import TrainResult
from intaglio.train.zoo.lenet5 import LeNet5
from tests.cli.tiny import intaglio

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 40), ("test", 20)):
        arrays[f"x_{part}"] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"y_{part}"] = np.arange(count) % 10
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What would be trained."""
    found: list[Job] = []

    def note(job: Job) -> tuple[Trained, TrainResult]:
        found.append(job)
        trained = Trained(job.network, 10, (1, 28, 28), job.scheme, 0.5, LeNet5())
        return trained, TrainResult(0.5, 1, 2.0)

    monkeypatch.setattr("intaglio.train.job.run_job", note)
    monkeypatch.setattr("intaglio.cli.train._program", lambda *_: None)
    return found


def test_it_trains_in_few_bits_and_says_what_was_reached(
    tmp_path: Path, data: Path, capsys: Capture
) -> None:
    words = ["train", "lenet5", "--data", data, "-o", tmp_path / "out", "--epochs", 1]
    assert intaglio(*words, "--weights", 2, "--activations", 3) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'out'}: lenet5 on data, w2a3 lsq: ")
    assert intaglio(*words, "--weights", 2, "--activations", 3, "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["parameters"] == 61_706
    assert document["test_images"] == 20
    assert (tmp_path / "out" / "lenet5.trained").is_file()
    program = load_program(tmp_path / "out" / "lenet5.program")
    types = {str(t.element) for t in program.graph.types.values()}
    assert document["program"] == str(tmp_path / "out" / "lenet5.program")
    assert "u3" in types


def test_every_word_reaches_the_training(data: Path, jobs: list[Job], tmp_path: Path) -> None:
    text = (
        f"train lenet5 --data {data} -o {tmp_path} --epochs 7 --batch-size 9 --lr 0.5 "
        "--optimizer sgd --momentum 0.8 --weight-decay 0.1 --augment photos --seed 4 --threads 2 "
        "--precision bfloat16 "
        "--validation 0.2 --patience 3 --init a --tradeoff 0.5 --weights 4 "
        "--activations 3 --method fixed "
        "--first 8 --last 6 --prune 0.3 --per-channel --power-of-two "
        "--override c1=weights:5,method:lsq --override c1_relu=activations:2"
    )
    assert intaglio(*text.split()) == 0
    (job,) = jobs
    recipe = job.recipe
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate, recipe.seed) == (7, 9, 0.5, 4)
    assert (recipe.optimizer, recipe.momentum, recipe.weight_decay) == ("sgd", 0.8, 0.1)
    assert (recipe.threads, recipe.validation, recipe.patience) == (2, 0.2, 3)
    assert recipe.precision == "bfloat16"
    assert recipe.augment is not None
    assert recipe.augment.mirror
    assert (job.init, job.folder, job.device) == (Path("a"), tmp_path, "cpu")
    assert job.tradeoff == 0.5
    overrides = {
        "c1": Override(weights=5, method="lsq"),
        "c1_relu": Override(activations=2),
    }
    assert job.scheme == QatScheme(
        4, 3, "fixed", 8, 6, overrides, per_channel=True, power_of_two=True, prune=0.3
    )


@pytest.mark.parametrize(
    ("words", "scheme"),
    [
        ("", None),
        ("--weights 1", QatScheme(1, 8, "binary")),
        ("--method binary --activations 2", QatScheme(1, 2, "binary")),
        ("--method ternary", QatScheme(2, 8, "ternary")),
        ("--method clipq", QatScheme(2, 8, "clipq")),
        ("--activations 4", QatScheme(8, 4, "lsq")),
    ],
)
def test_what_is_left_out_follows_from_the_rest(
    data: Path, jobs: list[Job], words: str, scheme: QatScheme | None
) -> None:
    assert intaglio("train", "lenet5", "--data", data, *words.split()) == 0
    assert jobs[0].scheme == scheme
    assert jobs[0].folder == Path("build/train/lenet5")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("lenet", "a network must be one of cnv, lenet5, mobilenet, nin, resnet8, sign_cnn, or "
         "module:function, not 'lenet'"),
        ("lenet5 --weights 9", "weights must have 2..8 bits, not 9"),
        ("lenet5 --tradeoff 1", "a tradeoff must be for the method clipq, not for floats"),
        ("lenet5 --epochs 0", "the number of epochs must be 1 or more, not 0"),
        ("lenet5 --override c1", "--override must be like conv1=weights:4,method:lsq or "
         "relu1=activations:3, not 'c1'"),
        ("lenet5 --override =weights:2", "--override must be like conv1=weights:4,method:lsq or "
         "relu1=activations:3, not '=weights:2'"),
        ("lenet5 --download letters", "--download must be one of mnist, fashion_mnist, cifar10, "
         "cifar100, not 'letters'"),
        ("lenet5 --download mnist", "--download must have a folder to fetch into: give --data DIR"),
        ("lenet5 --data no_such", "no_such must be a folder of data; there is no such folder"),
        ("lenet5 --patience 3", "stopping early must have images to judge by, not the test images: "
         "hold back a share of those for training"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(tmp_path: Path, capsys: Capture, words: str, text: str) -> None:
    assert intaglio("train", *words.split(), "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err == f"intaglio: {text}\n"
    assert not (tmp_path / "out").exists()
