# SPDX-License-Identifier: Apache-2.0
"""Sign-MNIST's CSV files: labels without a gap, pixels, and what is refused."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from intaglio.errors import IntaglioError
from intaglio.train.data import load_dataset
from intaglio.train.data.sign_mnist import HEADER, LETTERS

LABELS = [0, 8, 10, 24, 1]


def rows(labels: list[int], seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 784))
    return np.column_stack([labels, pixels])


def text(table: np.ndarray, header: str = HEADER) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in table), ""])


def write(folder: Path, content: str | None = None) -> Path:
    path = folder / "sign_mnist_train.csv"
    path.write_text(text(rows(LABELS)) if content is None else content)
    (folder / "sign_mnist_test.csv.gz").write_bytes(gzip.compress(text(rows([3, 24], 1)).encode()))
    return path


def test_letters_count_without_a_gap_and_keep_their_names(tmp_path: Path) -> None:
    write(tmp_path)
    data = load_dataset(tmp_path)
    assert "".join(LETTERS[label] for label in data.train_labels) == "AIKYB"
    assert data.names == LETTERS
    assert (data.classes, len(LETTERS)) == (24, 24)
    pixels = rows(LABELS)[:, 1:].reshape(-1, 1, 28, 28)
    assert np.array_equal(data.train_images, pixels.astype(np.float32) / np.float32(255))
    assert data.test_labels.tolist() == [3, 23]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must start with label,pixel1,..,pixel784, not ''"),
        (HEADER + "\n", "must hold an image at least; it ends behind its header"),
        (text(rows(LABELS)[:, :-1]), "must hold a label and 784 integers a row"),
        (text(rows(LABELS)) + "1,2,3\n", "must hold a label and 784 integers a row: "),
        (text(rows(LABELS)).replace("\n0,", "\nA,"), "must hold a label and 784 integers a row: "),
        (text(rows(LABELS) + 1), "must hold pixels in 0..255, not "),
        (text(rows([9])), "must hold labels in 0..24 without 9, not 9"),
        (text(rows([25])), "must hold labels in 0..24 without 9, not 25"),
        (text(rows(LABELS)) + "ä", "must be a readable CSV file: "),
    ],
)
def test_other_text_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(IntaglioError, match=f"^{re.escape(f'{path} {message}')}"):
        load_dataset(tmp_path)


def test_missing_second_and_damaged_files_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "train_too.csv").write_text("")
    with pytest.raises(IntaglioError, match=r"must hold one CSV file with train in its name, not"):
        load_dataset(tmp_path)
    (tmp_path / "train_too.csv").unlink()
    zipped = tmp_path / "sign_mnist_test.csv.gz"
    zipped.write_bytes(zipped.read_bytes()[:40])
    with pytest.raises(IntaglioError, match=f"^{re.escape(str(zipped))} must be a readable CSV"):
        load_dataset(tmp_path)
    zipped.unlink()
    with pytest.raises(IntaglioError, match=r"one CSV file with test in its name, not none$"):
        load_dataset(tmp_path)
