# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 has the size everyone quotes, and its seed decides its weights."""

from __future__ import annotations

import torch

from intaglio.train.zoo.lenet5 import LeNet5


def test_it_has_61706_parameters() -> None:
    assert sum(parameter.numel() for parameter in LeNet5().parameters()) == 61_706


def test_it_scores_ten_classes() -> None:
    assert LeNet5()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_the_seed_alone_decides_the_weights() -> None:
    weights = [LeNet5(seed).state_dict()["c1.weight"] for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
