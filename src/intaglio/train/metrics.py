# SPDX-License-Identifier: Apache-2.0
"""How well a network does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

#: Images through the network at a time: enough to fill the cores, little memory.
BATCH = 1000


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of images whose highest score is at their label.

    Shapes: images [N, C, H, W] float32; labels [N] int64.
    """
    right = 0
    device = next((one.device for one in model.parameters()), torch.device("cpu"))
    with evaluating(model), torch.inference_mode():
        for start in range(0, len(labels), BATCH):
            scores = model(torch.tensor(images[start : start + BATCH]).to(device))
            found = scores.argmax(1).cpu().numpy()
            right += int((found == labels[start : start + BATCH]).sum())
    return right / len(labels)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode (no dropout, fixed normalization) for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
