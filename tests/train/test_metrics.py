# SPDX-License-Identifier: Apache-2.0
"""Accuracy counts right answers over all batches and leaves the model as it was."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from intaglio.train.metrics import BATCH, accuracy, evaluating


def test_accuracy_is_the_fraction_of_right_answers() -> None:
    labels = np.arange(2 * BATCH + 2) % 2
    images = np.zeros((len(labels), 1, 1, 2), np.float32)
    images[np.arange(len(labels)), 0, 0, labels] = 1
    model = nn.Sequential(nn.Dropout(0.9), nn.Flatten())
    assert accuracy(model, images, labels) == 1
    labels[: BATCH + 1] = 1 - labels[: BATCH + 1]
    assert accuracy(model, images, labels) == 0.5
    assert model.training


def test_a_model_in_evaluation_stays_there() -> None:
    model = nn.Dropout().eval()
    with evaluating(model):
        assert torch.equal(model(torch.ones(9)), torch.ones(9))
    assert not model.training
