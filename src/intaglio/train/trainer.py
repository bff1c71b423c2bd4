# SPDX-License-Identifier: Apache-2.0
"""Training that can be killed at any moment: checkpoints in between, each whole or absent.

All randomness of an epoch (order, distortion, dropout) starts from a seed made of the run's seed
and the epoch's number, and the learning rate depends on the step's number alone. So weights,
optimizer state and, within an epoch, the state of the generators are all that has to be kept, and a
run that was stopped and resumed ends with the very weights of one that was not: bit for bit on a
CPU, with the same version of torch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from intaglio.errors import IntaglioError
from intaglio.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from intaglio.train.data.dataset import Dataset
from intaglio.train.metrics import accuracy
from intaglio.train.processes import Place, placed
from intaglio.train.recipe import Recipe

#: Seconds of training that a kill may cost.
SAVE_SECONDS = 60.0
Record = dict[str, float]


@dataclass(frozen=True)
class TrainResult:
    """What a training reached: test accuracy (0..1) after the last epoch, never after the best.

    Only where it stopped early are the weights those of the best epoch, by images held back.
    `history` has for each epoch its loss and, where it was watched, an accuracy.
    """

    accuracy: float
    epochs: int
    seconds: float
    history: tuple[Record, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.accuracy:.2%} after {self.epochs} epochs, {self.seconds:.1f} s"


def train(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    checkpoint: Path,
    *,
    device: str = "cpu",
    progress: bool = True,
    watch: bool = False,
    on_epoch: Callable[[Sequence[Record]], None] | None = None,
    save_seconds: float = SAVE_SECONDS,
) -> TrainResult:
    """Train a classifier in place: cross-entropy, learning rate falling to 0 as a cosine.

    Goes on from the checkpoint if there is one. `seconds` counts the training of all its runs.
    `watch` measures the accuracy after each epoch, on the images held back or else on those for
    testing; `on_epoch` gets the history then. Under `torchrun` each process takes its part of every
    batch.

    Raises:
        IntaglioError: the images held back leave none, or the loss is no longer finite.
        ArtifactError: the checkpoint is damaged, or of a training with other settings.
    """
    held = _held_back(dataset, recipe)
    with placed(device) as place, threads_of(recipe.threads):
        model.to(place.device)
        lie(model, recipe.layout)
        run = _Run.of(model, dataset, recipe, place, checkpoint, held)
        run.on_epoch, run.save_seconds, run.watch = on_epoch, save_seconds, watch
        if checkpoint.exists():
            run.progress = load_checkpoint(checkpoint, model, run.optimizer, run.settings)
        with run.bar(shown=progress) as bar:
            _epochs(run, bar)
        if run.progress.best:
            model.load_state_dict(run.progress.best)
        reached = accuracy(model, dataset.test_images, dataset.test_labels)
        lie(model.to("cpu"), torch.contiguous_format)
        done = run.progress
        del run  # what averages gradients must be gone before the processes part
    return TrainResult(reached, done.epochs_done, done.seconds, tuple(done.history))


@dataclass
class _Run:
    """A training under way."""

    model: nn.Module
    replica: nn.Module
    optimizer: torch.optim.Optimizer
    dataset: Dataset
    images: torch.Tensor
    labels: torch.Tensor
    recipe: Recipe
    settings: dict[str, Any]
    checkpoint: Path
    place: Place
    progress: Progress
    on_epoch: Callable[[Sequence[Record]], None] | None = None
    watch: bool = False
    save_seconds: float = SAVE_SECONDS

    @classmethod
    def of(
        cls,
        model: nn.Module,
        dataset: Dataset,
        recipe: Recipe,
        place: Place,
        checkpoint: Path,
        held: int,
    ) -> _Run:
        shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
        settings = {"network": shapes, "dataset": dataset.sha256, "processes": place.count}
        used = len(dataset.train_labels) - held
        return cls(
            model,
            place.wrapped(model),
            recipe.make_optimizer(model),
            dataset,
            torch.tensor(dataset.train_images[:used]).to(place.device),
            torch.tensor(dataset.train_labels[:used]).to(place.device),
            recipe,
            settings | recipe.to_json(),
            checkpoint,
            place,
            Progress(),
        )

    @property
    def batches(self) -> int:
        """Batches an epoch; the last may be smaller."""
        return math.ceil(len(self.labels) / self.recipe.batch_size)

    def bar(self, *, shown: bool) -> tqdm[Any]:
        """Return a bar of all batches, where it stands now."""
        done = self.progress
        return tqdm(
            total=self.recipe.epochs * self.batches,
            initial=done.epochs_done * self.batches + done.step,
            desc=f"train {self.dataset.name}",
            unit="batch",
            disable=not shown or not self.place.first,
        )

    @property
    def stopped(self) -> bool:
        """Whether all epochs are done, or the last ones brought nothing."""
        history, patience = self.progress.history, self.recipe.patience
        if self.progress.epochs_done >= self.recipe.epochs:
            return True
        if patience is None or len(history) <= patience:
            return False
        accuracies = [record["accuracy"] for record in history]
        return max(accuracies[-patience:]) <= max(accuracies[:-patience])

    def save(self) -> None:
        """Write a checkpoint; the first process alone does."""
        if self.place.first:
            save_checkpoint(
                self.checkpoint, self.model, self.optimizer, self.settings, self.progress
            )


def _held_back(dataset: Dataset, recipe: Recipe) -> int:
    count = len(dataset.train_labels)
    held = round(recipe.validation * count)
    if recipe.validation and not 0 < held < count:
        raise IntaglioError(
            f"the share held back must leave some of {count} images on both sides, "
            f"not {recipe.validation}"
        )
    return held


def lie(model: nn.Module, layout: torch.memory_format) -> None:
    """Let the weights of four dimensions lie so in memory."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)


@contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Let torch compute with so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _epochs(run: _Run, bar: Any) -> None:
    run.model.train()
    while not run.stopped:
        start, before = time.perf_counter(), run.progress.seconds
        loss = _epoch(run, bar, before - start)
        run.progress.seconds = before + time.perf_counter() - start
        record: Record = {"epoch": run.progress.epochs_done + 1, "loss": loss}
        run.place.agree(run.model)
        watched = _watched(run)
        if watched is not None:
            record["accuracy"] = watched
        history = run.progress.history
        best = max((one["accuracy"] for one in history if "accuracy" in one), default=-1.0)
        if run.recipe.patience is not None and record["accuracy"] > best:
            run.progress.best = {k: v.clone() for k, v in run.model.state_dict().items()}
        run.progress.history = [*history, record]
        run.progress.epochs_done += 1
        run.progress.step, run.progress.loss, run.progress.random = 0, 0.0, {}
        run.save()
        run.place.wait()
        if run.on_epoch is not None and run.place.first:
            run.on_epoch(run.progress.history)
        bar.set_postfix({name: f"{value:.4f}" for name, value in record.items() if name != "epoch"})


def _watched(run: _Run) -> float | None:
    """Return the accuracy that is watched, if any is."""
    data, used = run.dataset, len(run.labels)
    if run.recipe.validation:
        return accuracy(run.model, data.train_images[used:], data.train_labels[used:])
    return accuracy(run.model, data.test_images, data.test_labels) if run.watch else None


def _epoch(run: _Run, bar: Any, since: float) -> float:
    """Show the network every image once, or those still to be shown; return the mean loss.

    `since` and the clock give the seconds of training so far.
    """
    recipe, place, progress = run.recipe, run.place, run.progress
    devices = [place.device] if place.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        generator = torch.default_generator
        words = [recipe.seed, progress.epochs_done]
        _sow(place, words)
        order = torch.randperm(len(run.labels), generator=generator)
        if place.count > 1:
            _sow(place, [*words, 1 + place.rank])
        if progress.step:
            _set_random(place, progress.random)
        saved = time.perf_counter()
        chosen = torch.split(order, recipe.batch_size)
        for step in range(progress.step, len(chosen)):
            progress.loss += _step(run, chosen[step], step, generator)
            progress.step = step + 1
            bar.update()
            now = time.perf_counter()
            if place.count == 1 and progress.step < len(chosen) and now - saved >= run.save_seconds:
                _finite(run, progress.loss)
                progress.random, progress.seconds = _random(place), now + since
                run.save()
                saved = now
    total = place.total(progress.loss)
    _finite(run, total)
    return total / len(run.labels)


def _step(run: _Run, chosen: torch.Tensor, step: int, generator: torch.Generator) -> float:
    """Take one step; return this process's part of the batch's summed loss."""
    recipe, size = run.recipe, len(chosen)
    mine = run.place.share(chosen).to(run.labels.device)
    if size < run.place.count:
        return 0.0  # a last batch too small to give each process an image
    images = run.images[mine]
    if recipe.augment is not None:
        images = recipe.augment(images, generator)
    if images.ndim == 4:
        images = images.contiguous(memory_format=recipe.layout)
    rate = recipe.rate(
        (run.progress.epochs_done * run.batches + step) / (recipe.epochs * run.batches)
    )
    for group in run.optimizer.param_groups:
        group["lr"] = rate * group["share"]
    run.optimizer.zero_grad()
    with recipe.computing(run.place.device):
        scores = run.replica(images)
    loss = functional.cross_entropy(scores.float(), run.labels[mine])
    # Parts may differ in size, and the processes' gradients are averaged.
    scaled = loss if run.place.count == 1 else loss * (len(mine) * run.place.count / size)
    torch.autograd.backward(scaled)
    run.optimizer.step()
    return loss.item() * len(mine)


def _finite(run: _Run, total: float) -> None:
    if not math.isfinite(total):
        raise IntaglioError(
            f"the training loss must stay finite, not be {total} in epoch "
            f"{run.progress.epochs_done + 1}: "
            f"lower the learning rate, now {run.recipe.learning_rate:g}"
        )


def _sow(place: Place, words: list[int]) -> None:
    seed = int(np.random.SeedSequence(words).generate_state(1)[0])
    torch.default_generator.manual_seed(seed)
    if place.device.type == "cuda":
        torch.cuda.manual_seed(seed)


def _random(place: Place) -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if place.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(place.device)
    return state


def _set_random(place: Place, state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if place.device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], place.device)
