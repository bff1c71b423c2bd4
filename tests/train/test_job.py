# SPDX-License-Identifier: Apache-2.0
"""Whole trainings: what the folder holds, what they start from, what does not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from intaglio.errors import ArtifactError, IntaglioError
from intaglio.train.data import Dataset, digits
from intaglio.train.job import Job, run_job, start_from
from intaglio.train.metrics import accuracy
from intaglio.train.quantized import Override, QatScheme, latent_weights
from intaglio.train.recipe import Recipe
from intaglio.train.trained import load_trained
from intaglio.train.zoo.lenet5 import LeNet5


def few(classes: int = 10, side: int = 28) -> Dataset:
    data = digits(side)
    keep = data.train_labels < classes
    return Dataset(
        "few",
        data.train_images[keep][:96],
        data.train_labels[keep][:96],
        data.test_images[:50],
        np.minimum(data.test_labels[:50], classes - 1),
    )


def job(folder: Path, **changed: Any) -> Job:
    recipe = Recipe(epochs=2, batch_size=32, learning_rate=3e-3, seed=1)
    return Job("lenet5", few(), recipe, folder, progress=False, **changed)


def test_a_float_training_leaves_everything_in_its_folder(tmp_path: Path) -> None:
    trained, result = run_job(job(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint",
        "curves.png",
        "events.out.tfevents.0.intaglio",
        "history.json",
        "lenet5.onnx",
        "lenet5.trained",
    }
    history = json.loads((tmp_path / "history.json").read_text())
    assert history == list(result.history)
    assert [one["epoch"] for one in history] == [1, 2]
    assert history[-1]["accuracy"] == result.accuracy == trained.accuracy
    session = onnxruntime.InferenceSession(tmp_path / "lenet5.onnx")
    x = few().test_images[:4]
    with torch.no_grad():
        expected = trained.module(torch.tensor(x)).numpy()
    assert np.allclose(session.run(None, {"images": x})[0], expected, atol=1e-4)


def test_a_quantized_training_starts_from_a_float_one_and_leaves_it_frozen(tmp_path: Path) -> None:
    run_job(job(tmp_path / "float"))
    scheme = QatScheme(2, 2)
    started = job(tmp_path / "few", scheme=scheme, init=tmp_path / "float" / "checkpoint")
    trained, result = run_job(started)
    assert not (tmp_path / "few" / "lenet5.onnx").exists()
    again = load_trained(tmp_path / "few" / "lenet5.trained")
    data = few()
    assert accuracy(again.module, data.test_images, data.test_labels) == result.accuracy
    for name, weight in latent_weights(again.module).items():
        assert len(weight.unique()) <= 4, name
    assert again.scheme == trained.scheme == scheme
    finished, found = run_job(started)
    assert found == result
    assert torch.equal(finished.module(trained.example), trained.module(trained.example))


def test_a_tradeoff_searches_share_and_bits_of_each_layer(tmp_path: Path) -> None:
    given = {"c1": Override(weights=6, prune=0.0)}
    scheme = QatScheme(2, 8, "clipq", overrides=given)
    trained, _ = run_job(job(tmp_path, scheme=scheme, tradeoff=1e6))
    assert trained.scheme is not None
    others = {Override(weights=2, method="clipq", prune=0.9)}
    assert trained.scheme.overrides["c1"] == given["c1"]
    assert {one for name, one in trained.scheme.overrides.items() if name != "c1"} == others
    zeros = (latent_weights(trained.module)["c5"] == 0).float().mean()
    assert 0.89 < float(zeros) < 0.91
    again = load_trained(tmp_path / "lenet5.trained")
    assert torch.equal(again.module(trained.example), trained.module(trained.example))


def test_starting_from_a_checkpoint_gives_its_weights(tmp_path: Path) -> None:
    trained, _ = run_job(job(tmp_path))
    model = LeNet5(9)
    start_from(model, tmp_path / "checkpoint")
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained.module.state_dict()[name])


def test_checkpoints_of_other_networks_are_refused(tmp_path: Path) -> None:
    run_job(job(tmp_path / "few", scheme=QatScheme(4, 4)))
    with pytest.raises(ArtifactError, match=r"must be of this network in floats: .* is not$"):
        run_job(job(tmp_path / "other", init=tmp_path / "few" / "checkpoint"))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("network", "data", "text"),
    [
        ("lenet5", few(side=9), "lenet5 must take the images of few, 1x9x9; it cannot: "),
        ("torch.nn:Flatten", few(), ""),
        ("torch.nn:Identity", few(), "torch.nn:Identity must give a score for each of 10 classes"),
    ],
)
def test_networks_and_data_that_do_not_fit_are_refused(
    tmp_path: Path, network: str, data: Dataset, text: str
) -> None:
    recipe = Recipe(epochs=1, batch_size=8, learning_rate=1e-3, seed=0)
    wanted = Job(network, data, recipe, tmp_path / "out", progress=False, scheme=QatScheme())
    with pytest.raises(IntaglioError, match=f"^{re.escape(text)}"):
        run_job(wanted)
    assert not (tmp_path / "out").exists()
