# SPDX-License-Identifier: Apache-2.0
"""Few bits by training, for a sweep: each point is trained anew from the float network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.frontend import load
from intaglio.ir.graph import Graph, Program
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.sweep import Make

if TYPE_CHECKING:
    from intaglio.train.data.dataset import Dataset
    from intaglio.train.trained import Trained

#: A tenth of the rate that a network is trained with at first: it has only to settle again.
LEARNING_RATE = 1e-3
BATCH = 64
#: Training images that scales of activations start from.
START_IMAGES = 512


def by_training(trained: Trained, dataset: Dataset, epochs: int, folder: Path) -> Make:
    """Return what makes the program of a scheme's bits by training.

    Args:
        trained: the float network.
        dataset: what it is trained on.
        epochs: how often each point sees all training images.
        folder: where checkpoints are kept, so that a point that was stopped goes on.

    Raises:
        QuantizationError: the network is not of floats.
    """
    if trained.scheme is not None:
        raise QuantizationError(
            f"a sweep must start from a float network, not from one of {trained.scheme}"
        )

    def make(_graph: Graph, _calibration: np.ndarray, scheme: Scheme) -> Program:
        import torch

        from intaglio.train.quantized import QatScheme, calibrate, frozen, prepare
        from intaglio.train.recipe import Recipe
        from intaglio.train.trainer import train

        if scheme.layers:
            raise QuantizationError("a sweep by training must have the same bits in all layers")
        weights, activations = scheme.weight_type.width, scheme.activation_type.width
        method = "binary" if weights == 1 else "lsq"
        model = prepare(trained.module, QatScheme(weights, activations, method))
        calibrate(model, torch.tensor(dataset.train_images[:START_IMAGES]))
        recipe = Recipe(epochs, BATCH, LEARNING_RATE, seed=0)
        train(model, dataset, recipe, folder / f"w{weights}a{activations}.checkpoint")
        return quantize(load(frozen(model), example=trained.example))

    return make
