# SPDX-License-Identifier: Apache-2.0
"""A data set is right once it exists."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from intaglio.errors import IntaglioError
from intaglio.train.data import Dataset


def make(**changed: Any) -> Dataset:
    arrays: dict[str, Any] = {
        "train_images": np.full((3, 1, 4, 5), 0.5, np.float32),
        "train_labels": np.array([0, 1, 2]),
        "test_images": np.ones((2, 1, 4, 5), np.float32),
        "test_labels": np.array([3, 0]),
    }
    return Dataset(name="toy", **(arrays | changed))


def test_it_prints_what_it_holds() -> None:
    assert str(make()) == "toy: 3 train and 2 test images, 1x4x5, 4 classes"


def test_its_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make().train_images[0] = 0


def test_its_hash_tells_equal_content_from_different() -> None:
    assert make().sha256 == make().sha256
    assert make().sha256 != make(test_labels=np.array([3, 1])).sha256


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"train_images": np.zeros((3, 4, 5), np.float32)},
            "toy train images must be float32 [N, C, H, W], not float32 [3, 4, 5]",
        ),
        (
            {"test_images": np.zeros((2, 1, 4, 5))},
            "toy test images must be float32 [N, C, H, W], not float64 [2, 1, 4, 5]",
        ),
        (
            {"train_labels": np.zeros(3, np.int32)},
            "toy train labels must be int64 [N], not int32 [3]",
        ),
        (
            {"train_labels": np.zeros(4, np.int64)},
            "toy train labels must be one for each of 3 images, not 4",
        ),
        (
            {
                "train_images": np.zeros((0, 1, 4, 5), np.float32),
                "train_labels": np.zeros(0, np.int64),
            },
            "toy train images must hold a pixel at least, not [0, 1, 4, 5]",
        ),
        (
            {"test_images": np.full((2, 1, 4, 5), 1.5, np.float32)},
            "toy test images must lie in 0..1, not in 1.5..1.5",
        ),
        (
            {"test_images": np.full((2, 1, 4, 5), np.nan, np.float32)},
            "toy test images must lie in 0..1, not in nan..nan",
        ),
        (
            {"test_labels": np.array([-1, 0])},
            "toy test labels must count from 0, not from -1",
        ),
        (
            {"test_images": np.zeros((2, 1, 5, 5), np.float32)},
            "toy test images must be (1, 4, 5) each, not (1, 5, 5)",
        ),
    ],
)
def test_wrong_arrays_are_refused(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(IntaglioError, match=f"^{re.escape(text)}$"):
        make(**changed)
