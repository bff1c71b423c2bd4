# SPDX-License-Identifier: Apache-2.0
"""Data is read by what it is, and refused with one clear line."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from intaglio.errors import IntaglioError, QuantizationError
from intaglio.flow.samples import Samples, read_samples


def refusal(path: Path) -> str:
    with pytest.raises(QuantizationError) as stop:
        read_samples(path)
    return str(stop.value)


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("x_test", "y_test")])
def test_an_archive_has_images_and_labels(tmp_path: Path, images: str, labels: str) -> None:
    frames, classes = np.arange(24.0).reshape(2, 3, 4), np.array([1, 0])
    np.savez_compressed(tmp_path / "d.npz", **{images: frames, labels: classes, "other": frames})
    found = read_samples(tmp_path / "d.npz")
    assert np.array_equal(found.images, frames)
    assert found.labels is not None
    assert np.array_equal(found.labels, classes)


def test_an_array_alone_has_no_labels(tmp_path: Path) -> None:
    frames = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.save(tmp_path / "d.npy", frames)
    found = read_samples(tmp_path / "d.npy")
    assert np.array_equal(found.images, frames)
    assert found.labels is None


def test_digits_have_a_training_and_a_test_part() -> None:
    test, training = read_samples("digits"), read_samples("digits", training=True)
    assert (test.images.shape, training.images.shape) == ((500, 1, 28, 28), (1297, 1, 28, 28))
    assert test.labels is not None
    assert len(test.labels) == 500


def test_a_folder_is_mnist(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("t10k", 2)):
        pixels = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28) + bytes(count * 784)
        classes = struct.pack(">4BI", 0, 0, 8, 1, count) + bytes(count)
        with gzip.open(tmp_path / f"{part}-images-idx3-ubyte.gz", "wb") as stream:
            stream.write(pixels)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(classes)
    assert read_samples(tmp_path).images.shape == (2, 1, 28, 28)
    assert read_samples(tmp_path, training=True).images.shape == (3, 1, 28, 28)


def test_the_first_samples_keep_their_labels() -> None:
    samples = Samples(np.arange(8.0).reshape(4, 2), np.arange(4))
    assert samples.first(None) is samples
    first = samples.first(3)
    assert first.images.shape == (3, 2)
    assert first.labels is not None
    assert np.array_equal(first.labels, [0, 1, 2])
    for count in (0, 5, -1):
        with pytest.raises(QuantizationError) as stop:
            samples.first(count)
        assert str(stop.value) == f"the number of images must be 1..4, not {count}"


def test_nothing_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "d.npz") == (
        "data must be a .npy, .npz or .csv file, a folder of images or of IDX files, "
        f"module:function or 'digits'; there is no {tmp_path / 'd.npz'}"
    )


def test_a_folder_without_idx_files(tmp_path: Path) -> None:
    with pytest.raises(IntaglioError, match=r"must hold a data set: train-images-idx3-ubyte\.gz"):
        read_samples(tmp_path)


@pytest.mark.parametrize("content", [b"", b"a table of numbers", pickle.dumps([1, 2])])
def test_neither_kind_of_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    assert refusal(path) == f"{path} must be a .npy or .npz file of numbers; it is neither"


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "d.npy"
    np.save(path, np.array([{}], dtype=object))
    assert refusal(path) == f"{path} must be a whole file of numbers; it holds Python objects"
    np.savez(tmp_path / "d.npz", images=np.array([{}], dtype=object))
    assert refusal(tmp_path / "d.npz").endswith("it holds Python objects")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["d.npy", "d.npz"])
def test_a_file_cut_short(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    frames = np.random.default_rng(0).random((4, 5, 5))
    if name == "d.npy":
        np.save(path, frames)
    else:
        np.savez(path, images=frames)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert refusal(path).startswith(f"{path} must be a whole file of numbers; it is damaged: ")


def test_damaged_contents(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez_compressed(path, images=np.random.default_rng(0).random((40, 5, 5)))
    whole = bytearray(path.read_bytes())
    whole[300:400] = bytes(100)
    path.write_bytes(bytes(whole))
    assert refusal(path).startswith(f"{path} must be a whole file of numbers; it is damaged: ")


def test_no_array_of_images(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, pixels=np.zeros((2, 2)), more=np.zeros(2))
    assert refusal(path) == f"{path} must hold an array named images, not pixels, more"


@pytest.mark.parametrize(
    ("frames", "rest"),
    [
        (np.zeros((0, 4)), "must hold at least one frame, [N, *frame], not (0, 4)"),
        (np.zeros(4), "must hold at least one frame, [N, *frame], not (4,)"),
        (np.zeros((2, 2), dtype=complex), "must hold real numbers, not complex128"),
        (np.array([["a"], ["b"]]), "must hold real numbers, not <U1"),
    ],
)
def test_frames_that_are_none(tmp_path: Path, frames: np.ndarray, rest: str) -> None:
    path = tmp_path / "d.npy"
    np.save(path, frames)
    assert refusal(path) == f"{path} {rest}"


def test_a_label_for_each_image(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    for labels in (np.zeros(2, dtype=int), np.array(1)):
        np.savez(path, images=np.zeros((3, 2)), labels=labels)
        assert refusal(path) == (
            f"{path} must hold a label an image, not labels of shape {labels.shape} for 3"
        )
