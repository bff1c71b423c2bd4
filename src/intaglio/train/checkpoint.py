# SPDX-License-Identifier: Apache-2.0
"""The state of a training on disk, whole or absent: weights, optimizer, randomness, history."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from intaglio.artifact import Artifact, load, provenance, save
from intaglio.errors import ArtifactError

KIND = "checkpoint"


@dataclass
class Progress:
    """How far a training is.

    `step` counts batches of the epoch under way, `loss` is the sum over its images; `random` is the
    state of the generators, and `best` the state of the network at its best epoch.
    """

    epochs_done: int = 0
    step: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    random: dict[str, torch.Tensor] = field(default_factory=dict)
    best: dict[str, torch.Tensor] = field(default_factory=dict)


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    settings: dict[str, Any],
    progress: Progress,
) -> None:
    """Write everything that decides how the training goes on."""
    arrays = {f"model.{name}": _array(value) for name, value in model.state_dict().items()}
    arrays |= {f"best.{name}": _array(value) for name, value in progress.best.items()}
    arrays |= {f"random.{name}": _array(value) for name, value in progress.random.items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state[parameter].items() if parameter.requires_grad else ():
            if isinstance(value, torch.Tensor):
                arrays[f"optimizer.{key}.{name}"] = _array(value)
    document = {
        "settings": settings,
        "epochs_done": progress.epochs_done,
        "step": progress.step,
        "loss": progress.loss,
        "history": progress.history,
    }
    made_by = provenance(seconds=progress.seconds, torch=torch.__version__)
    save(path, Artifact(KIND, document, arrays, made_by))


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, settings: dict[str, Any]
) -> Progress:
    """Put a checkpoint's state in place.

    Raises:
        ArtifactError: the file is damaged, or of a training with other settings.
    """
    saved = load(path, KIND)
    found = saved.document["settings"]
    for name, value in settings.items():
        if found.get(name) != value:
            raise ArtifactError(
                f"{path} must be of this training, not of one with another {name}: "
                "name another checkpoint, or delete it to start again"
            )
    # An array of no dimensions comes back from disk with one, so shapes are taken from the model.
    state = model.state_dict()
    model.load_state_dict(_like(saved.arrays, "model.", state))
    for name, parameter in model.named_parameters():
        its = {
            array.split(".", 2)[1]: torch.tensor(value)
            for array, value in saved.arrays.items()
            if array.startswith("optimizer.") and array.split(".", 2)[2] == name
        }
        if its:
            optimizer.state[parameter] = {
                key: value.reshape(()) if key == "step" else value.to(parameter.device)
                for key, value in its.items()
            }
    best = any(name.startswith("best.") for name in saved.arrays)
    return Progress(
        int(saved.document["epochs_done"]),
        int(saved.document["step"]),
        float(saved.document["loss"]),
        float(saved.provenance["seconds"]),
        list(saved.document["history"]),
        {
            name.removeprefix("random."): torch.tensor(value)
            for name, value in saved.arrays.items()
            if name.startswith("random.")
        },
        _like(saved.arrays, "best.", state) if best else {},
    )


def _array(value: torch.Tensor) -> np.ndarray:
    array: np.ndarray = value.detach().cpu().numpy()
    return array


def _like(arrays: Any, prefix: str, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name: torch.tensor(arrays[f"{prefix}{name}"]).reshape(value.shape)
        for name, value in state.items()
    }
