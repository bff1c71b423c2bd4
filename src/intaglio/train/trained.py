# SPDX-License-Identifier: Apache-2.0
"""A network trained in few bits as a file: which network, by which scheme, and all its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from intaglio.artifact import Artifact, load, provenance, save
from intaglio.errors import ArtifactError
from intaglio.train.quantized import QatScheme, frozen, prepare
from intaglio.train.zoo import NETWORKS, network

KIND = "trained"


@dataclass(frozen=True)
class Trained:
    """What a training gave.

    `module` is in evaluation mode; quantized, it is frozen: each weight and each place of
    activations is one `intaglio::fake_quantize`. `frame` is the shape of an image [C, H, W].
    """

    network: str
    classes: int
    frame: tuple[int, ...]
    scheme: QatScheme | None
    accuracy: float
    module: nn.Module

    @property
    def example(self) -> torch.Tensor:
        """A batch of one image, as exports want it."""
        return torch.zeros(1, *self.frame)


def save_trained(path: Path, trained: Trained, **inputs: object) -> None:
    """Write a trained network; `inputs` say where it comes from."""
    document = {
        "network": trained.network,
        "classes": trained.classes,
        "frame": list(trained.frame),
        "scheme": None if trained.scheme is None else trained.scheme.to_json(),
        "accuracy": trained.accuracy,
    }
    arrays = {name: value.numpy() for name, value in trained.module.state_dict().items()}
    save(path, Artifact(KIND, document, arrays, provenance(torch=torch.__version__, **inputs)))


def load_trained(path: Path, model: nn.Module | None = None) -> Trained:
    """Read a trained network.

    Args:
        path: the file.
        model: the float network, where it is not one of ours: no code is run that a file names.

    Raises:
        ArtifactError: the file is damaged, of another kind, or of another network.
    """
    saved = load(path, KIND)
    document = saved.document
    name, classes = str(document["network"]), int(document["classes"])
    if model is None:
        if name not in NETWORKS:
            raise ArtifactError(
                f"{path} must be read together with its network, {name}, which is none of ours"
            )
        model = network(name, classes, 0)
    scheme = None if document["scheme"] is None else QatScheme.from_json(document["scheme"])
    module = model.eval() if scheme is None else frozen(prepare(model, scheme))
    state = module.state_dict()
    other = sorted(set(saved.arrays) ^ set(state))
    if other:
        raise ArtifactError(f"{path} must be of the network {name}: {other[0]} does not fit")
    try:
        # An array of no dimensions comes back from disk with one.
        module.load_state_dict(
            {
                key: torch.tensor(saved.arrays[key]).reshape(value.shape)
                for key, value in state.items()
            }
        )
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()))
        raise ArtifactError(f"{path} must be of the network {name}: {reason}") from None
    frame = tuple(int(size) for size in document["frame"])
    return Trained(name, classes, frame, scheme, float(document["accuracy"]), module)
