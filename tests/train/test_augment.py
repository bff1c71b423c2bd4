# SPDX-License-Identifier: Apache-2.0
"""Distortions: none for sizes of zero, a plain shift where only that is asked, repeatable."""

from __future__ import annotations

import torch

from intaglio.train.augment import Jitter

IMAGES = torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(0))


def distorted(jitter: Jitter, seed: int = 0) -> torch.Tensor:
    return jitter(IMAGES, torch.Generator().manual_seed(seed))


def test_sizes_of_zero_change_nothing() -> None:
    still = Jitter(shift_pixels=0, turn_degrees=0, stretch=0, slant=0)
    assert torch.allclose(distorted(still), IMAGES, atol=1e-5)


def test_the_generator_decides() -> None:
    assert torch.equal(distorted(Jitter()), distorted(Jitter()))
    assert not torch.equal(distorted(Jitter()), distorted(Jitter(), seed=1))


def test_a_shift_moves_the_center_of_mass_by_at_most_its_size() -> None:
    dot = torch.zeros(64, 1, 15, 15)
    dot[:, :, 7, 7] = 1
    shift = Jitter(shift_pixels=2, turn_degrees=0, stretch=0, slant=0)
    moved = shift(dot, torch.Generator().manual_seed(0))[:, 0]
    assert torch.allclose(moved.sum((1, 2)), torch.ones(64), atol=1e-5)
    places = torch.arange(15.0)
    for mass in (moved.sum(1), moved.sum(2)):
        distance = (mass @ places - 7).abs()
        assert distance.max() <= 2 + 1e-4
        assert distance.max() > 1.5
