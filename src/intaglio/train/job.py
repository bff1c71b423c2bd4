# SPDX-License-Identifier: Apache-2.0
"""A whole training: network, data and recipe become a folder with all that is worth keeping.

checkpoint      where the training is; `--init` of a later one
curves.png, history.json, events.out.tfevents.0.intaglio (for TensorBoard)
NETWORK.trained and, of float networks, NETWORK.onnx
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from intaglio.artifact import load, write_json
from intaglio.errors import ArtifactError, IntaglioError
from intaglio.train.checkpoint import KIND as CHECKPOINT
from intaglio.train.curves import draw_curves
from intaglio.train.data.dataset import Dataset
from intaglio.train.event_log import write_event_log
from intaglio.train.export import export_onnx
from intaglio.train.metrics import evaluating
from intaglio.train.quantized import QatScheme, calibrate, frozen, prepare
from intaglio.train.quantized.clipq_search import search_clipq
from intaglio.train.recipe import Recipe
from intaglio.train.trained import Trained, save_trained
from intaglio.train.trainer import Record, TrainResult, threads_of, train
from intaglio.train.zoo import network

#: Training images that learned scales of activations start from.
START_IMAGES = 512
#: Those that the search for CLIP-Q's parameters counts errors on.
SEARCH_IMAGES = 1000


@dataclass(frozen=True)
class Job:
    """A network by name, its data, how to train it, and where the results go.

    `scheme` is that of few bits, None for floats; with a `tradeoff` CLIP-Q's share and bits of each
    layer are searched first, for the network as it starts, and `scheme` overrides them; `init` is a
    checkpoint of a float training of the same network to start from.
    """

    network: str
    dataset: Dataset
    recipe: Recipe
    folder: Path
    scheme: QatScheme | None = None
    tradeoff: float | None = None
    init: Path | None = None
    device: str = "cpu"
    progress: bool = True


def run_job(job: Job) -> tuple[Trained, TrainResult]:
    """Train a network, or go on where it was stopped, and write its folder.

    Raises:
        IntaglioError: network and data do not fit, or a setting is out of range.
        ArtifactError: a checkpoint is damaged, or of another network or training.
    """
    with threads_of(job.recipe.threads):  # how sums round depends on their number
        model = _network(job)
        scheme, frame = _scheme(job, model), job.dataset.train_images.shape[1:]
        if scheme is not None:
            model = prepare(model, scheme)
            calibrate(model, torch.tensor(job.dataset.train_images[:START_IMAGES]))
    job.folder.mkdir(parents=True, exist_ok=True)
    result = train(
        model,
        job.dataset,
        job.recipe,
        job.folder / "checkpoint",
        device=job.device,
        progress=job.progress,
        watch=True,
        on_epoch=lambda history: _report(job, history),
    )
    module = model.eval() if scheme is None else frozen(model)
    classes = job.dataset.classes
    trained = Trained(job.network, classes, frame, scheme, result.accuracy, module)
    if int(os.environ.get("RANK", "0")) == 0:
        _report(job, result.history)
        name = job.network.replace(":", ".")
        save_trained(job.folder / f"{name}.trained", trained, data=job.dataset.sha256)
        if job.scheme is None:
            export_onnx(module, job.folder / f"{name}.onnx", trained.example)
    return trained, result


def _network(job: Job) -> nn.Module:
    """Return the network with the weights it starts with."""
    model = network(job.network, job.dataset.classes, job.recipe.seed)
    _check(job, model)
    if job.init is not None:
        start_from(model, job.init)
    return model


def _scheme(job: Job, model: nn.Module) -> QatScheme | None:
    """Return the scheme, with what is searched for the network."""
    if job.tradeoff is None:
        return job.scheme
    if job.scheme is None or job.scheme.method != "clipq":
        method = "floats" if job.scheme is None else job.scheme.method
        raise IntaglioError(f"a tradeoff must be for the method clipq, not for {method}")
    images, labels = job.dataset.train_images, job.dataset.train_labels
    found = search_clipq(
        model, images[:SEARCH_IMAGES], labels[:SEARCH_IMAGES], tradeoff=job.tradeoff
    )
    return replace(job.scheme, overrides={**found, **job.scheme.overrides})


def _check(job: Job, model: nn.Module) -> None:
    """Stop where a network cannot take the images, or has not a score for each class.

    Raises:
        IntaglioError: that is so.
    """
    frame, classes = job.dataset.train_images.shape[1:], job.dataset.classes
    size = "x".join(map(str, frame))
    try:
        with evaluating(model), torch.no_grad():
            scores = model(torch.zeros(1, *frame))
    except (RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()))
        raise IntaglioError(
            f"{job.network} must take the images of {job.dataset.name}, {size}; it cannot: {reason}"
        ) from None
    if scores.ndim != 2 or scores.shape[1] < classes:
        raise IntaglioError(
            f"{job.network} must give a score for each of {classes} classes of "
            f"{job.dataset.name}, not {list(scores.shape[1:])}"
        )


def start_from(model: nn.Module, checkpoint: Path) -> None:
    """Give a float network the weights in a checkpoint.

    Raises:
        ArtifactError: the file is damaged, or of another network.
    """
    arrays = load(checkpoint, CHECKPOINT).arrays
    best = "best." if any(name.startswith("best.") for name in arrays) else "model."
    state = model.state_dict()
    found = {name.removeprefix(best) for name in arrays if name.startswith(best)}
    other = sorted(found ^ set(state))
    if other:
        raise ArtifactError(f"{checkpoint} must be of this network in floats: {other[0]} is not")
    try:
        model.load_state_dict(
            {
                name: torch.tensor(arrays[f"{best}{name}"]).reshape(value.shape)
                for name, value in state.items()
            }
        )
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()))
        raise ArtifactError(f"{checkpoint} must be of this network: {reason}") from None


def _report(job: Job, history: Sequence[Record]) -> None:
    title = f"{job.network} on {job.dataset.name}, {job.scheme or 'floats'}"
    draw_curves(job.folder / "curves.png", title, history)
    write_event_log(job.folder, history)
    write_json(job.folder / "history.json", list(history))
