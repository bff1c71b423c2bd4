# SPDX-License-Identifier: Apache-2.0
"""Training: reaches its accuracy, and neither a kill nor a resume leaves a trace in the weights."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from intaglio import artifact
from intaglio.errors import ArtifactError, IntaglioError
from intaglio.train.augment import Jitter
from intaglio.train.data import Dataset, digits
from intaglio.train.trainer import TrainResult, train
from intaglio.train.zoo.lenet5 import LeNet5

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "seed": 5,
    "augment": Jitter(),
    "progress": False,
}
#: Trains like the test below, but kills itself, uncatchably, in the middle of an epoch.
VICTIM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_trainer as test
calls = 0
def count(module, inputs):
    global calls
    calls += 1
    if calls == 9:
        os.kill(os.getpid(), signal.SIGKILL)
model = test.LeNet5()
model.register_forward_pre_hook(count)
test.train(model, test.few(), checkpoint=Path(sys.argv[2]), **test.SETTINGS)
"""


def few() -> Dataset:
    """Seven batches an epoch, the last of them short."""
    data = digits()
    return Dataset(
        "few",
        data.train_images[:200],
        data.train_labels[:200],
        data.test_images[:50],
        data.test_labels[:50],
    )


def fragile() -> nn.Module:
    """A network with randomness and with state that is no parameter."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=4),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(144, 10),
    )


def run(model: nn.Module, checkpoint: Path, **changed: Any) -> TrainResult:
    return train(model, few(), checkpoint=checkpoint, **(SETTINGS | changed))


def equal(left: nn.Module, right: nn.Module) -> bool:
    mine, other = left.state_dict(), right.state_dict()
    return all(torch.equal(mine[name], other[name]) for name in mine)


def test_digits_reach_98_and_a_half_percent(tmp_path: Path) -> None:
    result = train(
        LeNet5(),
        digits(),
        epochs=30,
        batch_size=64,
        learning_rate=3e-3,
        seed=0,
        checkpoint=tmp_path / "checkpoint",
        augment=Jitter(),
        progress=False,
    )
    assert result.accuracy >= 0.985


def test_a_killed_process_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    whole, resumed = LeNet5(), LeNet5(seed=9)
    run(whole, tmp_path / "whole")
    stopped = tmp_path / "stopped"
    command = [sys.executable, "-c", VICTIM, str(Path(__file__).parent), str(stopped)]
    victim = subprocess.run(command, capture_output=True, check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    assert artifact.load(stopped, "checkpoint").document["epochs_done"] == 1
    run(resumed, stopped)
    assert equal(whole, resumed)
    assert (
        artifact.load(stopped, "checkpoint").sha256
        == artifact.load(tmp_path / "whole", "checkpoint").sha256
    )


def test_an_interrupted_network_with_dropout_and_statistics_is_resumed_bit_for_bit(
    tmp_path: Path,
) -> None:
    whole, stopped, resumed = fragile(), fragile(), fragile()
    run(whole, tmp_path / "whole")
    calls = 0

    def interrupt(module: nn.Module, inputs: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 18:
            raise KeyboardInterrupt

    stopped.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "stopped")
    torch.manual_seed(77)
    result = run(resumed, tmp_path / "stopped")
    assert equal(whole, resumed)
    assert result.epochs == 3
    assert result.seconds > 0


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    model, again = LeNet5(), LeNet5(seed=9)
    first = run(model, tmp_path / "checkpoint")
    content = (tmp_path / "checkpoint").read_bytes()
    assert run(again, tmp_path / "checkpoint") == first
    assert equal(model, again)
    assert (tmp_path / "checkpoint").read_bytes() == content


def test_the_seed_decides_and_nothing_outside_is_disturbed(tmp_path: Path) -> None:
    models = [LeNet5() for _ in range(3)]
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for number, (model, seed) in enumerate(zip(models, (5, 5, 6), strict=True)):
        run(model, tmp_path / str(number), seed=seed, epochs=1)
    assert equal(models[0], models[1])
    assert not equal(models[0], models[2])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    run(LeNet5(), path, epochs=1)
    text = (
        f"^{re.escape(str(path))} must be of this training, not of one with another seed: "
        "name another checkpoint, or delete it to start again$"
    )
    with pytest.raises(ArtifactError, match=text):
        run(LeNet5(), path, epochs=1, seed=6)
    with pytest.raises(ArtifactError, match="not of one with another network"):
        run(fragile(), path, epochs=1)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    run(LeNet5(), path, epochs=1)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="must match its own checksum; it is damaged"):
        run(LeNet5(), path, epochs=1)


def test_a_loss_that_explodes_stops_the_training_and_is_not_kept(tmp_path: Path) -> None:
    model = LeNet5()
    with torch.no_grad():
        model.get_parameter("output.bias").fill_(np.inf)
    text = (
        "^the training loss must stay finite, not be nan in epoch 1: "
        "lower the learning rate, now 0.003$"
    )
    with pytest.raises(IntaglioError, match=text):
        run(model, tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"epochs": 0}, "the number of epochs must be 1 or more, not 0"),
        ({"batch_size": 0}, "the batch size must be 1 or more, not 0"),
        ({"learning_rate": 0.0}, "the learning rate must be positive and finite, not 0.0"),
        ({"learning_rate": np.nan}, "the learning rate must be positive and finite, not nan"),
        ({"seed": -1}, "the seed must be 0 or more, not -1"),
        ({"threads": 0}, "the number of threads must be 1 or more, not 0"),
    ],
)
def test_settings_out_of_range_are_refused(
    tmp_path: Path, changed: dict[str, Any], text: str
) -> None:
    with pytest.raises(IntaglioError, match=f"^{re.escape(text)}$"):
        run(LeNet5(), tmp_path / "checkpoint", **changed)


def test_progress_is_shown_beside_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(LeNet5(), tmp_path / "checkpoint", epochs=1, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "train few: 100%" in shown.err
    assert "7/7" in shown.err


def test_the_result_prints_in_one_line() -> None:
    assert str(TrainResult(0.9876, 3, 1.25)) == "98.76% after 3 epochs, 1.2 s"
