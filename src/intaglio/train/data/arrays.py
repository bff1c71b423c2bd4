# SPDX-License-Identifier: Apache-2.0
"""A data set in one .npz file: `x_train`, `y_train`, `x_test`, `y_test`."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile

from intaglio.errors import IntaglioError
from intaglio.train.data.dataset import Dataset

NAMES = ("x_train", "y_train", "x_test", "y_test")
#: Colors at the end of an image's shape, or before it.
CHANNELS = (1, 3)


def arrays(path: Path) -> Dataset:
    """Read images and labels from an .npz file.

    Images are uint8, divided by 255, or floats in [0, 1]; [N, H, W], [N, H, W, C] or [N, C, H, W],
    with 1 or 3 channels. Labels are integers, [N] or [N, 1]. `classes`, if there, names them.

    Raises:
        IntaglioError: the file is missing or damaged, or an array missing or of another kind.
    """
    try:
        with path.open("rb") as file, _npz(path, file) as stream:
            missing = [name for name in NAMES if name not in stream.files]
            if missing:
                listed = ", ".join(stream.files) or "nothing"
                raise IntaglioError(f"{path} must hold {', '.join(NAMES)}, not {listed}")
            found = {name: stream[name] for name in NAMES}
            classes = stream["classes"] if "classes" in stream.files else np.empty(0, "U1")
    except FileNotFoundError:
        raise IntaglioError(f"{path} must be a .npz file; there is no such file") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise IntaglioError(f"{path} must be a whole .npz file of numbers: {error}") from None
    parts = []
    for part in ("train", "test"):
        parts.append(_images(f"{path}, x_{part},", found[f"x_{part}"]))
        parts.append(_labels(f"{path}, y_{part},", found[f"y_{part}"]))
    named = classes.ndim == 1 and classes.dtype.kind == "U"
    train, train_labels, test, test_labels = parts
    names = tuple(map(str, classes)) if named else ()
    return Dataset(path.stem, train, train_labels, test, test_labels, names)


def _npz(path: Path, file: BinaryIO) -> NpzFile:
    stream = np.load(file, allow_pickle=False)
    if not isinstance(stream, NpzFile):
        raise IntaglioError(f"{path} must be a .npz file, not one array")
    return stream


def _images(where: str, images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        images = images[:, np.newaxis]
    elif images.ndim == 4 and images.shape[3] in CHANNELS:
        images = images.transpose(0, 3, 1, 2)
    elif images.ndim != 4 or images.shape[1] not in CHANNELS:
        raise IntaglioError(
            f"{where} must be [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels, "
            f"not {list(images.shape)}"
        )
    if images.dtype == np.uint8:
        scaled: np.ndarray = images.astype(np.float32) / np.float32(255)
        return np.ascontiguousarray(scaled)
    if images.dtype.kind != "f":
        raise IntaglioError(f"{where} must be uint8 or floats, not {images.dtype}")
    return np.ascontiguousarray(images, dtype=np.float32)


def _labels(where: str, labels: np.ndarray) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise IntaglioError(
            f"{where} must be integers [N], not {labels.dtype} {list(labels.shape)}"
        )
    return labels.astype(np.int64)
