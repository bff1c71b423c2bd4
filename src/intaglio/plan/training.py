# SPDX-License-Identifier: Apache-2.0
"""A training that can be carried from machine to machine: what it is, and how far it has come.

All that decides its weights is in here, so any machine that is given this and the checkpoint goes
on with the same batches to the same weights. The number of threads of arithmetic is part of it, and
is the same on every size: sums round alike only then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intaglio.artifact import content_hash, load, write_json
from intaglio.errors import IntaglioError

if TYPE_CHECKING:
    from torch import nn

    from intaglio.train.data import Dataset

#: What the trainer calls its checkpoints.
KIND = "checkpoint"


@dataclass(frozen=True)
class Training:
    """What is trained, on what, and how.

    `network` is `module:Class`; `data` a folder of IDX files, or empty for scikit-learn's digits;
    `images` how many of them are trained on, 0 for all.
    """

    network: str
    epochs: int
    data: str = ""
    images: int = 0
    batch_size: int = 64
    learning_rate: float = 3e-3
    seed: int = 0
    threads: int = 1

    def model(self) -> nn.Module:
        """Return the network as it is before training.

        Raises:
            IntaglioError: there is no such class.
        """
        module, _, name = self.network.partition(":")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError):
            raise IntaglioError(
                f"the network must be like intaglio.train.zoo.lenet5:LeNet5, not {self.network!r}"
            ) from None
        network: nn.Module = found()
        return network

    def dataset(self) -> Dataset:
        """Return what is trained on."""
        from intaglio.train.data import Dataset, digits, mnist

        whole = mnist(Path(self.data)) if self.data else digits()
        if not self.images:
            return whole
        return Dataset(
            whole.name,
            whole.train_images[: self.images],
            whole.train_labels[: self.images],
            whole.test_images,
            whole.test_labels,
        )

    def run(self, checkpoint: Path) -> float:
        """Go on from the checkpoint to the end; return the accuracy on test images."""
        from intaglio.train.recipe import Recipe
        from intaglio.train.trainer import train

        recipe = Recipe(
            self.epochs, self.batch_size, self.learning_rate, self.seed, threads=self.threads
        )
        return train(self.model(), self.dataset(), recipe, checkpoint, progress=False).accuracy

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))


def read_training(path: Path) -> Training:
    """Read what `Training.save` has written.

    Raises:
        IntaglioError: it is missing, or not that.
    """
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Training)}
        return Training(**{name: value for name, value in document.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        raise IntaglioError(f"{path} must be a training as JSON; it is not") from None


def weights_hash(checkpoint: Path) -> str:
    """Return the hash of the weights in a checkpoint, of nothing else in it."""
    arrays = load(checkpoint, KIND).arrays
    weights = {name: array for name, array in arrays.items() if name.startswith("model.")}
    return content_hash("weights", {}, weights)


def epochs_done(checkpoint: Path) -> int:
    """Return the epochs that a checkpoint holds; 0 where there is none yet."""
    if not checkpoint.exists():
        return 0
    return int(load(checkpoint, KIND).document["epochs_done"])
