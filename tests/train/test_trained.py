# SPDX-License-Identifier: Apache-2.0
"""Trained networks as files: the same numbers come back, and others are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from intaglio.errors import ArtifactError
from intaglio.train.quantized import QatScheme, calibrate, frozen, prepare
from intaglio.train.trained import Trained, load_trained, save_trained
from intaglio.train.zoo import network

SCHEMES = [
    None,
    QatScheme(2, 2),
    QatScheme(1, 3, "binary", per_channel=True),
    QatScheme(3, 4, "clipq", first=8),
    QatScheme(4, 2, "lsq+", power_of_two=True),
]


def made(scheme: QatScheme | None, name: str = "sign_cnn") -> Trained:
    model = network(name, 24, 5).eval()
    if scheme is not None:
        model = prepare(model, scheme)
        calibrate(model, torch.rand(4, 1, 28, 28))
        model = frozen(model)
    return Trained(name, 24, (1, 28, 28), scheme, 0.75, model)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_comes_back_as_it_was(tmp_path: Path, scheme: QatScheme | None) -> None:
    trained = made(scheme)
    save_trained(tmp_path / "net.trained", trained)
    again = load_trained(tmp_path / "net.trained")
    x = torch.rand(3, 1, 28, 28)
    assert torch.equal(again.module(x), trained.module(x))
    assert not again.module.training
    assert (again.network, again.classes, again.scheme, again.accuracy) == (
        "sign_cnn", 24, scheme, 0.75,
    )  # fmt: skip
    assert again.example.shape == (1, 1, 28, 28)


def test_a_network_of_the_user_is_handed_in_and_never_imported(tmp_path: Path) -> None:
    path = tmp_path / "net.trained"
    save_trained(path, made(SCHEMES[1], "sign_cnn"))
    trained = made(SCHEMES[1])
    foreign = Trained("their:net", 24, (1, 28, 28), SCHEMES[1], 0.5, trained.module)
    save_trained(path, foreign)
    text = "must be read together with its network, their:net, which is none of ours$"
    with pytest.raises(ArtifactError, match=f"^{re.escape(str(path))} {text}"):
        load_trained(path)
    again = load_trained(path, network("sign_cnn", 24, 0))
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(again.module(x), trained.module(x))


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.trained"
    save_trained(path, made(None))
    with pytest.raises(ArtifactError, match=r"must be of the network sign_cnn: .* does not fit$"):
        load_trained(path, network("lenet5", 10, 0))
    with pytest.raises(ArtifactError, match=r"must be of the network sign_cnn: shape "):
        load_trained(path, network("sign_cnn", 10, 0))
