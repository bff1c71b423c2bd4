# SPDX-License-Identifier: Apache-2.0
"""Sign-language MNIST: two CSV files, plain or gzip, with `label,pixel1,..,pixel784`.

Labels count the alphabet, 0 to 24; 9 and 25, J and Z, are signed by a movement and are not there.
Here the 24 letters count without a gap.

Source: https://www.kaggle.com/datasets/datamunge/sign-language-mnist (CC0).
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.train.data.dataset import Dataset
from intaglio.train.data.idx import GZIP_MAGIC, MAX_BYTES

SIDE = 28
MISSING = 9
LAST = 24
LETTERS = tuple("ABCDEFGHIKLMNOPQRSTUVWXY")
HEADER = "label," + ",".join(f"pixel{number}" for number in range(1, SIDE * SIDE + 1))


def sign_mnist(directory: Path) -> Dataset:
    """Read the one CSV file with `train` in its name, and the one with `test`.

    Raises:
        IntaglioError: a file is missing, there is another one like it, or it is not of that form.
    """
    train, train_labels = read_csv(_find(directory, "train"))
    test, test_labels = read_csv(_find(directory, "test"))
    return Dataset("sign_mnist", train, train_labels, test, test_labels, LETTERS)


def is_sign_mnist(directory: Path) -> bool:
    """Tell whether there are CSV files for training."""
    return bool(_named(directory, "train"))


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images, float32 [N, 1, 28, 28], and labels 0..23.

    Raises:
        IntaglioError: the file is missing or not of that form.
    """
    text = _text(path)
    header, _, rows = text.partition("\n")
    if header.strip().replace('"', "") != HEADER:
        raise IntaglioError(
            f"{path} must start with label,pixel1,..,pixel{SIDE * SIDE}, not {header[:40]!r}"
        )
    if not rows.strip():
        raise IntaglioError(f"{path} must hold an image at least; it ends behind its header")
    try:
        table = np.loadtxt(io.StringIO(rows), dtype=np.int64, delimiter=",", ndmin=2)
    except ValueError as error:
        raise IntaglioError(f"{path} must hold a label and 784 integers a row: {error}") from None
    if table.shape[1] != 1 + SIDE * SIDE:
        raise IntaglioError(f"{path} must hold a label and 784 integers a row")
    labels, pixels = table[:, 0], table[:, 1:]
    if pixels.min() < 0 or pixels.max() > 255:
        raise IntaglioError(
            f"{path} must hold pixels in 0..255, not {pixels.min()}..{pixels.max()}"
        )
    wrong = labels[(labels < 0) | (labels > LAST) | (labels == MISSING)]
    if len(wrong):
        raise IntaglioError(
            f"{path} must hold labels in 0..{LAST} without {MISSING}, not {wrong[0]}"
        )
    images = pixels.reshape(-1, 1, SIDE, SIDE).astype(np.float32) / np.float32(255)
    return images, labels - (labels > MISSING)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            zipped = stream.read(2) == GZIP_MAGIC
        with gzip.open(path) if zipped else path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise IntaglioError(f"{path} must hold at most {MAX_BYTES} bytes")
        return content.decode("ascii")
    except FileNotFoundError:
        raise IntaglioError(f"{path} must be a CSV file; there is no such file") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise IntaglioError(f"{path} must be a readable CSV file: {error}") from None


def _named(directory: Path, part: str) -> list[Path]:
    return sorted([*directory.glob(f"*{part}*.csv"), *directory.glob(f"*{part}*.csv.gz")])


def _find(directory: Path, part: str) -> Path:
    found = _named(directory, part)
    if len(found) != 1:
        what = ", ".join(path.name for path in found) or "none"
        raise IntaglioError(
            f"{directory} must hold one CSV file with {part} in its name, not {what}"
        )
    return found[0]
