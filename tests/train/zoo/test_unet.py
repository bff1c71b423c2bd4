# SPDX-License-Identifier: Apache-2.0
"""The network has its size, and its seed decides its weights."""

from __future__ import annotations

import torch

from intaglio.train.zoo.unet import UNet


def test_it_has_its_size_and_scores_every_pixel() -> None:
    network = UNet().eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == 10_154
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 2, 32, 32)


def test_the_seed_alone_decides_the_weights() -> None:
    first, again, other = (next(UNet(seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
