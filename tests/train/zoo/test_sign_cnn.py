# SPDX-License-Identifier: Apache-2.0
"""The network has its size, and its seed decides its weights."""

from __future__ import annotations

import pytest
import torch

from intaglio.train.zoo.sign_cnn import SignCnn


@pytest.mark.parametrize(("classes", "parameters"), [(24, 1_635_112), (25, 1_635_625)])
def test_it_has_its_size_and_scores_its_classes(classes: int, parameters: int) -> None:
    network = SignCnn(classes).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, classes)


def test_the_seed_alone_decides_the_weights() -> None:
    first, again, other = (next(SignCnn(24, seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
