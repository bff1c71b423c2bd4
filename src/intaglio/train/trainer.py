# SPDX-License-Identifier: Apache-2.0
"""Training that can be killed at any moment: a checkpoint an epoch, whole or absent.

All randomness of an epoch (order, distortion, dropout) starts from a seed made of the run's seed
and the epoch's number, and the learning rate depends on the step's number alone. So weights and
optimizer state are all that has to be kept, and a run that was stopped and resumed ends with the
very weights of one that was not: bit for bit on a CPU, with the same version of torch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from intaglio.artifact import Artifact, load, provenance, save
from intaglio.errors import ArtifactError, IntaglioError
from intaglio.train.augment import Jitter
from intaglio.train.data.dataset import Dataset
from intaglio.train.metrics import accuracy

KIND = "checkpoint"
#: What Adam keeps for each parameter, beside the number of steps.
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class TrainResult:
    """What a training reached: test accuracy (0..1) after the last epoch, never after the best."""

    accuracy: float
    epochs: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.accuracy:.2%} after {self.epochs} epochs, {self.seconds:.1f} s"


def train(
    model: nn.Module,
    dataset: Dataset,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    checkpoint: Path,
    augment: Jitter | None = None,
    threads: int = 1,
    progress: bool = True,
) -> TrainResult:
    """Train a classifier in place: Adam, cross-entropy, learning rate falling to 0 as a cosine.

    Goes on from the checkpoint if there is one. `seconds` counts the training of all its runs.
    One thread is the default: on networks this small a second gains a quarter on an idle machine,
    costs ten times the time where another process wants its core, and changes how sums round.

    Raises:
        IntaglioError: a setting is out of range, or the loss is no longer finite.
        ArtifactError: the checkpoint is damaged, or of a training with other settings.
    """
    _check(epochs, batch_size, learning_rate, seed, threads)
    settings = {
        "network": {name: list(value.shape) for name, value in model.state_dict().items()},
        "dataset": dataset.sha256,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "augment": repr(augment),
        "threads": threads,
    }
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    images, labels = torch.tensor(dataset.train_images), torch.tensor(dataset.train_labels)
    run = _Run(model, optimizer, images, labels, epochs, batch_size, learning_rate, augment)
    done, seconds = _resume(run, checkpoint, settings) if checkpoint.exists() else (0, 0.0)
    bar = tqdm(
        total=epochs * run.batches,
        initial=done * run.batches,
        desc=f"train {dataset.name}",
        unit="batch",
        disable=not progress,
    )
    with _threads(threads), bar:
        model.train()
        for epoch in range(done, epochs):
            start = time.perf_counter()
            loss = _epoch(run, epoch, seed, bar)
            seconds += time.perf_counter() - start
            _save(run, checkpoint, settings, epoch + 1, seconds)
            bar.set_postfix(loss=f"{loss:.4f}")
        reached = accuracy(model, dataset.test_images, dataset.test_labels)
    return TrainResult(reached, epochs, seconds)


@dataclass(frozen=True)
class _Run:
    """The parts of a training that every epoch needs."""

    model: nn.Module
    optimizer: torch.optim.Adam
    images: torch.Tensor
    labels: torch.Tensor
    epochs: int
    batch_size: int
    learning_rate: float
    augment: Jitter | None

    @property
    def batches(self) -> int:
        """Batches an epoch; the last may be smaller."""
        return math.ceil(len(self.labels) / self.batch_size)


def _check(epochs: int, batch_size: int, learning_rate: float, seed: int, threads: int) -> None:
    if epochs < 1:
        raise IntaglioError(f"the number of epochs must be 1 or more, not {epochs}")
    if batch_size < 1:
        raise IntaglioError(f"the batch size must be 1 or more, not {batch_size}")
    if not 0 < learning_rate < math.inf:
        raise IntaglioError(f"the learning rate must be positive and finite, not {learning_rate}")
    if seed < 0:
        raise IntaglioError(f"the seed must be 0 or more, not {seed}")
    if threads < 1:
        raise IntaglioError(f"the number of threads must be 1 or more, not {threads}")


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _epoch(run: _Run, epoch: int, seed: int, bar: Any) -> float:
    """Show the network every image once; return the mean loss."""
    total = 0.0
    with torch.random.fork_rng(devices=[]):
        generator = torch.default_generator
        generator.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
        order = torch.randperm(len(run.labels), generator=generator)
        for step, chosen in enumerate(torch.split(order, run.batch_size), epoch * run.batches):
            images = run.images[chosen]
            if run.augment is not None:
                images = run.augment(images, generator)
            fraction = step / (run.epochs * run.batches)
            for group in run.optimizer.param_groups:
                group["lr"] = run.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
            run.optimizer.zero_grad()
            loss = functional.cross_entropy(run.model(images), run.labels[chosen])
            torch.autograd.backward(loss)
            run.optimizer.step()
            total += loss.item() * len(chosen)
            bar.update()
    if not math.isfinite(total):
        raise IntaglioError(
            f"the training loss must stay finite, not be {total} in epoch {epoch + 1}: "
            f"lower the learning rate, now {run.learning_rate:g}"
        )
    return total / len(run.labels)


def _save(run: _Run, checkpoint: Path, settings: dict[str, Any], done: int, seconds: float) -> None:
    arrays = {f"model.{name}": value.numpy() for name, value in run.model.state_dict().items()}
    for index, parameter in enumerate(run.model.parameters()):
        for moment in MOMENTS:
            arrays[f"{moment}.{index}"] = run.optimizer.state[parameter][moment].numpy()
    document = {"settings": settings, "epochs_done": done}
    save(
        checkpoint,
        Artifact(KIND, document, arrays, provenance(seconds=seconds, torch=torch.__version__)),
    )


def _resume(run: _Run, checkpoint: Path, settings: dict[str, Any]) -> tuple[int, float]:
    """Put a checkpoint's state in place; return the epochs done and the seconds they took."""
    saved = load(checkpoint, KIND)
    found = saved.document["settings"]
    for name, value in settings.items():
        if found.get(name) != value:
            raise ArtifactError(
                f"{checkpoint} must be of this training, not of one with another {name}: "
                "name another checkpoint, or delete it to start again"
            )
    done = int(saved.document["epochs_done"])
    # An array of no dimensions comes back from disk with one, so shapes are taken from the model.
    run.model.load_state_dict(
        {
            name: torch.tensor(saved.arrays[f"model.{name}"]).reshape(value.shape)
            for name, value in run.model.state_dict().items()
        }
    )
    for index, parameter in enumerate(run.model.parameters()):
        state = {moment: torch.tensor(saved.arrays[f"{moment}.{index}"]) for moment in MOMENTS}
        state["step"] = torch.tensor(float(done * run.batches))
        run.optimizer.state[parameter] = state
    return done, float(saved.provenance["seconds"])
