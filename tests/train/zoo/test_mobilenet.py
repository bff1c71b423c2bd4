# SPDX-License-Identifier: Apache-2.0
"""The network has its size, and its seed decides its weights."""

from __future__ import annotations

import torch

from intaglio.train.zoo.mobilenet import MobileNet


def test_it_has_its_size_and_scores_ten_classes() -> None:
    network = MobileNet().eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == 10_762
    assert network(torch.zeros(3, 3, 32, 32)).shape == (3, 10)


def test_the_seed_alone_decides_the_weights() -> None:
    first, again, other = (next(MobileNet(seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
