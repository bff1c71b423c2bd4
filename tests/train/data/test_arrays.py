# SPDX-License-Identifier: Apache-2.0
"""A data set in one .npz file: every layout of images, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intaglio.errors import IntaglioError
from intaglio.train.data import load_dataset

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def write(path: Path, **changed: Any) -> Path:
    good = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:2], "y_test": LABELS[:2]}
    np.savez(path, **{k: v for k, v in (good | changed).items() if v is not None})
    return path


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (PIXELS, PIXELS / np.float32(255)),
        (PIXELS.transpose(0, 2, 3, 1), PIXELS / np.float32(255)),
        (PIXELS[:, 0], PIXELS[:, :1] / np.float32(255)),
        ((PIXELS / 256).astype(np.float64), PIXELS / np.float32(256)),
    ],
)
def test_images_of_any_layout_are_channels_first_in_0_to_1(
    tmp_path: Path, images: np.ndarray, expected: np.ndarray
) -> None:
    path = write(tmp_path / "mine.npz", x_train=images, x_test=images[:2], y_train=LABELS[:, None])
    data = load_dataset(path)
    assert data.name == "mine"
    assert np.array_equal(data.train_images, expected)
    assert data.train_labels.tolist() == LABELS.tolist()
    assert load_dataset(tmp_path).sha256 == data.sha256


def test_classes_have_their_names(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "a.npz", classes=np.array(["cat", "dog", "owl", "rat"])))
    assert data.names == ("cat", "dog", "owl", "rat")
    assert data.classes == 4


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"y_test": None},
            "{} must hold x_train, y_train, x_test, y_test, not x_train, y_train, x_test",
        ),
        ({"x_train": LABELS}, "{}, x_train, must be [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 "
         "or 3 channels, not [6]"),
        ({"x_test": PIXELS.astype(int)}, "{}, x_test, must be uint8 or floats, not int64"),
        ({"y_train": LABELS / 2}, "{}, y_train, must be integers [N], not float64 [6]"),
        ({"x_train": PIXELS * 1.0}, "a train images must lie in 0..1, not in "),
        ({"x_train": PIXELS * np.nan}, "a train images must lie in 0..1, not in nan"),
        ({"y_train": np.array([object()] * 6)}, "{} must be a whole .npz file of numbers: "),
        ({"classes": np.array(["cat"])}, "a must have a name for each of 3 classes, not 1"),
    ],
)  # fmt: skip
def test_other_arrays_are_refused(tmp_path: Path, changed: dict[str, Any], text: str) -> None:
    path = write(tmp_path / "a.npz", **changed)
    with pytest.raises(IntaglioError, match=f"^{re.escape(text.format(path))}"):
        load_dataset(path)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(IntaglioError, match=r"must be a .npz file; there is no such file$"):
        load_dataset(path)
    with path.open("wb") as stream:
        np.save(stream, PIXELS)
    with pytest.raises(IntaglioError, match=r"must be a .npz file, not one array$"):
        load_dataset(path)
    write(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(IntaglioError, match=f"^{re.escape(str(path))} must be a whole .npz file"):
        load_dataset(path)
