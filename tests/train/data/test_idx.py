# SPDX-License-Identifier: Apache-2.0
"""IDX files as they should be, and in every way they should not."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from intaglio.errors import IntaglioError
from intaglio.train.data import load_dataset
from intaglio.train.data.idx import ELEMENTS, mnist, read_idx


def encode(array: np.ndarray, code: int = 0x08) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(ELEMENTS[code]).tobytes()


def write_mnist(directory: Path, test: str = "t10k") -> None:
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 6), (test, 4)):
        pixels = rng.integers(0, 256, (count, 28, 28))
        labels = rng.integers(0, 10, count)
        images = gzip.compress(encode(pixels), mtime=0)
        (directory / f"{prefix}-images-idx3-ubyte.gz").write_bytes(images)
        (directory / f"{prefix}-labels-idx1-ubyte").write_bytes(encode(labels))


def refused(path: Path, text: str) -> None:
    with pytest.raises(IntaglioError, match=f"^{re.escape(f'{path} {text}')}$"):
        read_idx(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    code=st.sampled_from(sorted(ELEMENTS)),
    zipped=st.booleans(),
    draw=st.data(),
)
def test_what_was_written_is_read(
    tmp_path: Path, code: int, zipped: bool, draw: st.DataObject
) -> None:
    shape = arrays.array_shapes(max_dims=4, max_side=4)
    array = draw.draw(arrays.arrays(ELEMENTS[code].newbyteorder("="), shape))
    content = encode(array, code)
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content) if zipped else content)
    found = read_idx(path)
    assert found.dtype == array.dtype
    assert np.array_equal(found, array, equal_nan=code in (0x0D, 0x0E))


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "images"
    good = encode(np.arange(12).reshape(3, 4))
    refused(path, "must be an IDX file; there is no such file")
    for content, text in (
        (b"", "must start with the magic number of an IDX file, not end"),
        (b"\x89PNG....", "must start with the magic number of an IDX file, not 89504e47"),
        (b"\0\0\x07\x01", "must start with the magic number of an IDX file, not 00000701"),
        (b"\0\0\x08\x09", "must have 1..4 dimensions, not 9"),
        (good[:9], "must hold 2 dimensions; it ends within them"),
        (good[:-1], "must hold 12 bytes after its header, not 11"),
        (good + b"x", "must hold 12 bytes after its header, not more"),
        (
            struct.pack(">BBBB2I", 0, 0, 8, 2, 1 << 31, 1 << 31),
            f"must hold at most {1 << 30} bytes, not {1 << 62}",
        ),
    ):
        path.write_bytes(content)
        refused(path, text)


def test_a_damaged_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    content = bytearray(gzip.compress(encode(np.arange(100))))
    path.write_bytes(content[:-20])
    refused(
        path,
        "must be a readable IDX file: "
        "Compressed file ended before the end-of-stream marker was reached",
    )
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntaglioError, match=r"must be a readable IDX file: CRC check failed"):
        read_idx(path)


@pytest.mark.parametrize("test", ["t10k", "t10k-even"])
def test_mnist_is_read_whatever_its_test_files_are_called(tmp_path: Path, test: str) -> None:
    write_mnist(tmp_path, test)
    data = load_dataset(tmp_path)
    assert str(data).startswith("mnist: 6 train and 4 test images, 1x28x28")
    pixels = read_idx(tmp_path / "train-images-idx3-ubyte.gz")
    assert np.array_equal(np.rint(data.train_images[:, 0] * 255), pixels)


def test_an_incomplete_or_mixed_directory_is_named(tmp_path: Path) -> None:
    def fails(text: str) -> None:
        with pytest.raises(IntaglioError, match=f"^{re.escape(text)}$"):
            mnist(tmp_path)

    fails(f"{tmp_path} must hold train-images-idx3-ubyte.gz; there is no such file")
    write_mnist(tmp_path)
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    labels.write_bytes(encode(np.array([1, 2, 3])))
    fails(f"{labels} must hold uint8 [4], a label an image, not uint8 [3]")
    labels.write_bytes(encode(np.array([1, 2, 3, 10])))
    fails(f"{labels} must hold 0..9, not 10")
    labels.unlink()
    fails(f"{labels}.gz must be an IDX file; there is no such file")
    images = tmp_path / "train-images-idx3-ubyte.gz"
    images.write_bytes(encode(np.zeros((6, 27, 28))))
    fails(f"{images} must hold uint8 [N, 28, 28], not uint8 [6, 27, 28]")
    images.unlink()
    write_mnist(tmp_path, "t10k-even")
    write_mnist(tmp_path, "t10k-odd")
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    fails(
        f"{tmp_path} must hold one t10k set of images, "
        "not t10k-even-images-idx3-ubyte, t10k-odd-images-idx3-ubyte"
    )


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    text = (
        f"^{re.escape(str(absent))} must be a directory of IDX files; there is no such directory$"
    )
    with pytest.raises(IntaglioError, match=text):
        mnist(absent)
