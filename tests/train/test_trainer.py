# SPDX-License-Identifier: Apache-2.0
"""Training: reaches its accuracy, and neither a kill nor a resume leaves a trace in the weights."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
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
from intaglio.train.metrics import accuracy
from intaglio.train.quantized import QatScheme, calibrate, prepare, weight_quantizers
from intaglio.train.recipe import Recipe
from intaglio.train.trainer import TrainResult, train
from intaglio.train.zoo.lenet5 import LeNet5

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "seed": 5,
    "augment": Jitter(),
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
test.run(model, Path(sys.argv[2]))
"""
#: Forks trainings of a quantized network one after the other, kills each at a random moment, and
#: lets the last one end; every step writes a checkpoint, so that kills meet those too.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_trainer as test
path, moments = Path(sys.argv[2]), random.Random(int(sys.argv[3]))
killed = 0
while True:
    child = os.fork()
    if not child:
        try:
            test.run(test.quantized(), path, save_seconds=0.0)
            os._exit(0)
        finally:
            os._exit(1)
    if killed < 12:
        time.sleep(moments.uniform(0.0, 0.5))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if status != signal.SIGKILL:
        break
    killed += 1
print(killed)
sys.exit(status)
"""
#: One of the processes of a training on several.
MEMBER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_trainer as test
model = test.quantized()
test.run(model, Path(sys.argv[2]), augment=None, epochs=int(sys.argv[3]))
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


def quantized() -> nn.Module:
    """The same in two bits, with scales that are learned."""
    model = prepare(fragile(), QatScheme(weights=2, activations=2))
    calibrate(model, torch.tensor(few().train_images[:16]))
    return model


def run(model: nn.Module, checkpoint: Path, **changed: Any) -> TrainResult:
    names = {one.name for one in fields(Recipe)}
    recipe = Recipe(**(SETTINGS | {name: changed[name] for name in names & set(changed)}))
    rest = {name: value for name, value in changed.items() if name not in names}
    return train(model, few(), recipe, checkpoint, **({"progress": False} | rest))


def stop_after(model: nn.Module, batches: int) -> None:
    """Interrupt a model's training."""
    calls = 0

    def interrupt(module: nn.Module, inputs: object) -> None:
        nonlocal calls
        calls += 1
        if calls == batches:
            raise KeyboardInterrupt

    model.register_forward_pre_hook(interrupt)


def equal(left: nn.Module, right: nn.Module) -> bool:
    mine, other = left.state_dict(), right.state_dict()
    return all(torch.equal(mine[name], other[name]) for name in mine)


def test_digits_reach_98_and_a_half_percent(tmp_path: Path) -> None:
    recipe = Recipe(30, 64, 3e-3, seed=0, augment=Jitter())
    result = train(LeNet5(), digits(), recipe, tmp_path / "checkpoint", progress=False)
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
    stop_after(stopped, 18)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "stopped")
    torch.manual_seed(77)
    result = run(resumed, tmp_path / "stopped")
    assert equal(whole, resumed)
    assert result.epochs == 3
    assert result.seconds > 0


@pytest.mark.parametrize("seed", [0, 1])
def test_kills_at_any_moment_leave_no_trace(tmp_path: Path, seed: int) -> None:
    whole = quantized()
    run(whole, tmp_path / "whole")
    stopped = tmp_path / "stopped"
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", KILLER, folder, str(stopped), str(seed)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > 0
    resumed = quantized()
    run(resumed, stopped)
    assert equal(whole, resumed)
    found = artifact.load(stopped, "checkpoint")
    assert found.sha256 == artifact.load(tmp_path / "whole", "checkpoint").sha256


def together(checkpoint: Path, epochs: int) -> None:
    """Train on two processes of this machine, with what `torchrun` tells each of them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    command = [sys.executable, "-c", MEMBER, str(Path(__file__).parent), str(checkpoint)]
    members = [
        subprocess.Popen(
            [*command, str(epochs)],
            env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
        )
        for rank in "01"
    ]
    try:
        for member in members:
            _, said = member.communicate(timeout=300)
            assert member.returncode == 0, said.decode()
    finally:
        for member in members:
            member.kill()


def test_two_processes_train_one_network_and_are_resumed_bit_for_bit(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    together(whole, 2)
    found = artifact.load(whole, "checkpoint")
    assert found.document["epochs_done"] == 2
    assert found.document["settings"]["processes"] == 2
    together(stopped, 2)
    assert artifact.load(stopped, "checkpoint").sha256 == found.sha256
    losses = [record["loss"] for record in found.document["history"]]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("make", [LeNet5, quantized])
def test_stochastic_gradient_descent_is_resumed_within_an_epoch(
    tmp_path: Path, make: Callable[[], nn.Module]
) -> None:
    changed = {"optimizer": "sgd", "learning_rate": 0.01, "weight_decay": 1e-4}
    whole, stopped, resumed = make(), make(), make()
    run(whole, tmp_path / "whole", **changed)
    stop_after(stopped, 10)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "stopped", save_seconds=0.0, **changed)
    kept = artifact.load(tmp_path / "stopped", "checkpoint").document
    assert (kept["epochs_done"], kept["step"]) == (1, 2)
    run(resumed, tmp_path / "stopped", **changed)
    assert equal(whole, resumed)


@pytest.mark.parametrize("make", [fragile, quantized])
def test_training_in_bfloat16_keeps_its_weights_in_float32_and_is_resumed_bit_for_bit(
    tmp_path: Path, make: Callable[[], nn.Module]
) -> None:
    full, whole, stopped, resumed = make(), make(), make(), make()
    run(full, tmp_path / "full")
    result = run(whole, tmp_path / "whole", precision="bfloat16")
    stop_after(stopped, 10)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "stopped", save_seconds=0.0, precision="bfloat16")
    run(resumed, tmp_path / "stopped", precision="bfloat16")
    assert equal(whole, resumed)
    state = whole.state_dict().values()
    assert all(value.is_contiguous() for value in state)
    assert {value.dtype for value in state} == {torch.float32, torch.int64}
    assert not equal(full, whole)
    data = few()
    assert result.accuracy == accuracy(whole, data.test_images, data.test_labels)


def test_learned_scales_move_slower_and_do_not_decay() -> None:
    model = quantized()
    recipe = Recipe(epochs=1, batch_size=1, learning_rate=0.5, seed=0, weight_decay=0.25)
    rest, slow = recipe.make_optimizer(model).param_groups
    scales = [one.scale for one in weight_quantizers(model).values()]
    assert {id(scale) for scale in scales} <= {id(p) for p in slow["params"]}
    assert (rest["share"], rest["weight_decay"]) == (1.0, 0.25)
    assert (slow["share"], slow["weight_decay"]) == (0.1, 0.0)


def test_it_stops_early_with_the_best_weights_by_images_held_back(tmp_path: Path) -> None:
    changed = {"validation": 0.25, "patience": 2, "epochs": 40, "learning_rate": 0.03}
    seen: list[int] = []
    model, again = fragile(), fragile()
    result = run(
        model,
        tmp_path / "checkpoint",
        on_epoch=lambda history: seen.append(len(history)),
        **changed,
    )
    accuracies = [record["accuracy"] for record in result.history]
    assert seen == list(range(1, result.epochs + 1))
    assert 3 <= result.epochs == len(accuracies) < 40
    assert max(accuracies[-2:]) <= max(accuracies[:-2])
    data = few()
    assert accuracy(model, data.train_images[150:], data.train_labels[150:]) == max(accuracies)
    assert run(again, tmp_path / "checkpoint", **changed) == result
    assert equal(model, again)


def test_watching_changes_no_weight(tmp_path: Path) -> None:
    plain, watched = fragile(), fragile()
    run(plain, tmp_path / "plain")
    result = run(watched, tmp_path / "watched", watch=True)
    assert equal(plain, watched)
    assert result.history[-1]["accuracy"] == result.accuracy


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
        ({"optimizer": "lion"}, "the optimizer must be adam or sgd, not 'lion'"),
        ({"precision": "int1"}, "the precision must be float32 or bfloat16, not 'int1'"),
        ({"momentum": 1.0}, "the momentum must be 0 or more and below 1, not 1.0"),
        ({"validation": -0.5}, "the share held back must be 0 or more and below 1, not -0.5"),
        ({"patience": 0}, "the patience must be 1 or more, not 0"),
        (
            {"patience": 3},
            "stopping early must have images to judge by, not the test images: "
            "hold back a share of those for training",
        ),
        (
            {"validation": 0.001},
            "the share held back must leave some of 200 images on both sides, not 0.001",
        ),
        ({"device": "quantum"}, "the device must be cpu or cuda, not 'quantum'"),
        ({"device": "meta"}, "the device must be cpu or cuda, not 'meta'"),
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
