# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from intaglio.errors import QuantizationError
from intaglio.flow.samples import Samples, read_samples
from intaglio.ops.matmul import Matmul
from intaglio.ops.relu import Relu
from tests.quantize.networks import network, normal

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)


def write_table(path: Path, header: str | None, labels: bool = True) -> None:
    lines = [] if header is None else [header]
    for i, picture in enumerate(PIXELS):
        row = [str(v) for v in picture.ravel()]
        lines.append(",".join([str(i % 3), *row] if labels else row))
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


NAMES = ",".join(f"pixel{i + 1}" for i in range(16))


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz"])
@pytest.mark.parametrize("header", [None, f"label,{NAMES}"])
def test_a_table_has_a_picture_in_each_row(tmp_path: Path, name: str, header: str | None) -> None:
    write_table(tmp_path / name, header)
    found = read_samples(tmp_path / name)
    assert np.array_equal(found.images, (PIXELS[:, None] / 255).astype(np.float32))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("header", [None, NAMES])
def test_a_table_without_labels(tmp_path: Path, header: str | None) -> None:
    write_table(tmp_path / "d.csv", header, labels=False)
    found = read_samples(tmp_path / "d.csv")
    assert found.images.shape == (6, 1, 4, 4)
    assert found.labels is None


def test_numbers_that_are_no_bytes_and_no_square_stay(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("label,a,b,c\n1,0.5,-2,300\n0,1,2,3\n")
    found = read_samples(tmp_path / "d.csv")
    assert found.images.tolist() == [[0.5, -2.0, 300.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("label,a\n1,x\n", "must be rows of numbers: could not convert string 'x'"),
        ("label,a\n1,2\n1,2,3\n", "must be rows of numbers: "),
        ("label,a\n", "must hold at least one frame, not 0"),
        ("", "must hold at least one frame, not 0"),
        ("label,a\n1,2\n0.5,3\n", "must have whole numbers as labels, not 0.5 in row 1"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(content)
    with pytest.raises(QuantizationError) as stop:
        read_samples(path)
    assert str(stop.value).startswith(f"{path} {text}")


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    for i, picture in enumerate(PIXELS):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    found = read_samples(tmp_path)
    assert np.array_equal(found.images, (PIXELS[:, None] / 255).astype(np.float32))
    assert found.labels is None


def test_subfolders_are_classes_and_one_color_makes_three_channels(tmp_path: Path) -> None:
    color = np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    for name, array in (("b/1.png", PIXELS[0]), ("a/2.png", color), ("a/3.PNG", PIXELS[1])):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(array).save(tmp_path / name)
    found = read_samples(tmp_path)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1]
    assert np.array_equal(found.images[0], (color.transpose(2, 0, 1) / 255).astype(np.float32))
    assert np.array_equal(found.images[2, 1], (PIXELS[0] / 255).astype(np.float32))


def test_pictures_of_two_sizes(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0]).save(tmp_path / "a.png")
    Image.fromarray(PIXELS[0][:, :3]).save(tmp_path / "b.png")
    with pytest.raises(
        QuantizationError, match=r"b\.png must be 4x4 pixels, as .*a\.png is, not 3"
    ):
        read_samples(tmp_path)


@pytest.mark.parametrize("kept", [0, 20, 60])
def test_a_damaged_picture_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS[0]).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(QuantizationError, match=r"a\.png must be a whole image file: "):
        read_samples(tmp_path)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_pictures_fit_models_of_either_order(channels: int, height: int, width: int) -> None:
    images = normal(1, 2, channels, height, width)
    pictures = Samples(images, pictures=True)
    last = network((height, width, channels), ("r", Relu(), "x"))
    if (channels, height, width) != (height, width, channels):
        assert np.array_equal(pictures.fitted(last).images, images.transpose(0, 2, 3, 1))
        assert np.array_equal(Samples(images).fitted(last).images, images)
    size = channels * height * width
    row = network((size,), ("f", Matmul(), "x", normal(2, 1, size), np.zeros(1)))
    assert pictures.fitted(row).images.shape == (2, size)
