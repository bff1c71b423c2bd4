# SPDX-License-Identifier: Apache-2.0
"""The network has its size, and its seed decides its weights."""

from __future__ import annotations

import pytest
import torch

from intaglio.train.zoo.nin import Nin


@pytest.mark.parametrize(("classes", "weights"), [(10, 1_009_056), (100, 1_026_336)])
def test_it_has_its_size_and_scores_its_classes(classes: int, weights: int) -> None:
    network = Nin(classes).eval()
    assert network.weights() == weights
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, classes)


def test_the_seed_alone_decides_the_weights() -> None:
    first, again, other = (next(Nin(10, seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
