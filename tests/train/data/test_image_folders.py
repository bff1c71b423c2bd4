# SPDX-License-Identifier: Apache-2.0
"""Images in folders: classes by name, gray and colored, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intaglio import train
from intaglio.errors import IntaglioError, MissingToolError
from intaglio.train.data import load_dataset


def pixels(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(folder: Path, part: str, name: str, file: str, array: np.ndarray) -> Path:
    path = folder / part / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def two(folder: Path) -> None:
    write(folder, "train", "dog", "1.png", pixels(1, 4, 6))
    write(folder, "train", "cat", "2.pgm", pixels(2, 4, 6))
    write(folder, "test", "dog", "3.png", pixels(3, 4, 6))


def test_classes_are_folders_by_name_and_gray_images_stay_gray(tmp_path: Path) -> None:
    two(tmp_path)
    data = load_dataset(tmp_path)
    assert data.names == ("cat", "dog")
    assert data.train_labels.tolist() == [0, 1]
    assert data.test_labels.tolist() == [1]
    assert data.train_images.shape == (2, 1, 4, 6)
    assert np.array_equal(data.test_images[0, 0], pixels(3, 4, 6) / np.float32(255))


def test_one_colored_image_makes_all_three_channels(tmp_path: Path) -> None:
    two(tmp_path)
    write(tmp_path, "test", "cat", "4.ppm", pixels(4, 4, 6, 3))
    data = load_dataset(tmp_path)
    assert data.train_images.shape == (2, 3, 4, 6)
    colored = pixels(4, 4, 6, 3).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(data.test_images[0], colored)
    assert np.array_equal(data.train_images[0, 0], data.train_images[0, 2])


def test_jpeg_is_read(tmp_path: Path) -> None:
    two(tmp_path)
    write(tmp_path, "train", "cat", "5.JPG", np.full((4, 6), 51, np.uint8))
    assert np.allclose(load_dataset(tmp_path).train_images[1], 0.2, atol=0.01)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    two(tmp_path)
    odd = write(tmp_path, "train", "cat", "9.png", pixels(5, 5, 6))
    text = f"^{re.escape(str(odd))} must be 6x4 as the first image is, not 6x5$"
    with pytest.raises(IntaglioError, match=text):
        load_dataset(tmp_path)
    odd.write_bytes(odd.read_bytes()[:50])
    with pytest.raises(IntaglioError, match=f"^{re.escape(str(odd))} must be a whole PNG, JPEG"):
        load_dataset(tmp_path)
    Image.new("L", (5000, 1)).save(odd)
    with pytest.raises(IntaglioError, match=r"must be at most 4096 a side, not 5000x1$"):
        load_dataset(tmp_path)
    odd.write_bytes(b"GIF89a")
    with pytest.raises(IntaglioError, match=r"must be a whole PNG, JPEG or PPM image: "):
        load_dataset(tmp_path)


def test_classes_unknown_and_folders_empty_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    with pytest.raises(IntaglioError, match=r"must hold a folder for each class; it holds none$"):
        load_dataset(tmp_path)
    (tmp_path / "train" / "dog").mkdir()
    (tmp_path / "test" / "cow").mkdir()
    with pytest.raises(IntaglioError, match=r"must have classes of train only, not 'cow'$"):
        load_dataset(tmp_path)
    (tmp_path / "test" / "cow").rename(tmp_path / "test" / "dog")
    with pytest.raises(IntaglioError, match=r"must hold images, .png, .jpg, .* it holds none$"):
        load_dataset(tmp_path)


def test_without_pillow_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two(tmp_path)
    monkeypatch.setattr(train, "find_spec", {}.get)
    with pytest.raises(MissingToolError, match=r"^a data set of image files needs pillow, which"):
        load_dataset(tmp_path)


def test_a_folder_of_nothing_known_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IntaglioError, match=r"must hold a data set: train-images-idx3-ubyte.gz"):
        load_dataset(tmp_path)
    with pytest.raises(IntaglioError, match=r"must be a folder of data; there is no such folder$"):
        load_dataset(tmp_path / "absent")
