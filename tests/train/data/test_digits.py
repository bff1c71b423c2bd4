# SPDX-License-Identifier: Apache-2.0
"""The digits: their number, their split for ever, their enlargement."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional

from intaglio import train
from intaglio.errors import IntaglioError, MissingToolError
from intaglio.train.data import digits, load_dataset
from intaglio.train.data.digits import enlarge


def test_shapes_and_ranges() -> None:
    data = load_dataset(None)
    assert data.train_images.shape == (1297, 1, 28, 28)
    assert data.test_images.shape == (500, 1, 28, 28)
    assert data.classes == 10
    assert data.train_images.min() == 0
    assert data.train_images.max() == 1
    assert np.bincount(data.test_labels).min() >= 40


def test_the_split_never_changes() -> None:
    assert digits(8).test_labels[:16].tolist() == [0, 1, 3, 0, 1, 4, 0, 0, 6, 6, 8, 8, 5, 5, 6, 3]
    assert digits().sha256 == digits().sha256


def test_each_image_is_in_one_part_with_its_label() -> None:
    data, source = digits(8), load_digits()
    images = np.concatenate([data.train_images, data.test_images]).reshape(-1, 64)
    labels = np.concatenate([data.train_labels, data.test_labels])

    def rows(pixels: np.ndarray, targets: np.ndarray) -> list[tuple[float, ...]]:
        return sorted(map(tuple, np.column_stack([pixels, targets]).tolist()))

    assert rows(images, labels) == rows(source.data / 16, source.target)


def test_enlarging_agrees_with_torch() -> None:
    images = np.random.default_rng(0).random((4, 8, 8))
    expected = functional.interpolate(
        torch.tensor(images)[None], size=(28, 28), mode="bilinear", align_corners=False
    )
    assert np.allclose(enlarge(images, 28), expected[0].numpy(), atol=1e-6)


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(IntaglioError, match=r"^the size of digits must be 1 pixel or more, not 0$"):
        digits(0)


def test_without_scikit_learn_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_spec", {}.get)
    text = "^the digits data set needs scikit-learn, which is not installed: "
    with pytest.raises(MissingToolError, match=text):
        digits()
