# SPDX-License-Identifier: Apache-2.0
"""Read a user's data: arrays from .npy and .npz, a folder of IDX files, or the built-in digits."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intaglio.errors import QuantizationError

#: The name that stands for the handwritten digits that come with scikit-learn.
DIGITS = "digits"
_IMAGES = ("images", "x_test", "x", "data", "arr_0")
_LABELS = ("labels", "y_test", "y")
_ZIP, _NUMPY = b"PK\x03\x04", b"\x93NUMPY"


@dataclass(frozen=True)
class Samples:
    """Frames in the source model's axis order, and their labels where there are any."""

    images: np.ndarray
    labels: np.ndarray | None = None

    def first(self, count: int | None) -> Samples:
        """Return the first so many samples; all of them for None.

        Raises:
            QuantizationError: there are fewer.
        """
        if count is None:
            return self
        if count < 1 or count > len(self.images):
            raise QuantizationError(
                f"the number of images must be 1..{len(self.images)}, not {count}"
            )
        return Samples(self.images[:count], None if self.labels is None else self.labels[:count])


def read_samples(source: str | Path, *, training: bool = False) -> Samples:
    """Read data by what it is.

    Args:
        source: a .npy or .npz file (`images` and `labels`, or `x_test` and `y_test`), a folder with
            MNIST-style IDX files, or the word `digits`.
        training: of a data set that comes in two parts, take the training part.

    Raises:
        QuantizationError: it is missing, damaged, empty, or holds no images.
    """
    path = Path(source)
    if str(source) == DIGITS or path.is_dir():
        from intaglio.train.data import load_dataset

        dataset = load_dataset(None if str(source) == DIGITS else path)
        if training:
            return Samples(dataset.train_images, dataset.train_labels)
        return Samples(dataset.test_images, dataset.test_labels)
    if not path.is_file():
        raise QuantizationError(
            f"data must be a .npy or .npz file, a folder of IDX files or {DIGITS!r}; "
            f"there is no {path}"
        )
    samples = _arrays(path)
    if samples.images.ndim < 2 or len(samples.images) == 0:
        raise QuantizationError(
            f"{path} must hold at least one frame, [N, *frame], not {samples.images.shape}"
        )
    if samples.labels is not None and len(samples.labels) != len(samples.images):
        raise QuantizationError(
            f"{path} must hold a label an image, not {len(samples.labels)} "
            f"for {len(samples.images)}"
        )
    return samples


def _arrays(path: Path) -> Samples:
    with path.open("rb") as stream:
        if not stream.read(len(_NUMPY)).startswith((_ZIP, _NUMPY)):
            raise QuantizationError(f"{path} must be a .npy or .npz file of numbers; it is neither")
        stream.seek(0)
        try:
            found = np.load(stream, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return Samples(_numbers(found, path))
            names = {name: found[name] for name in (*_IMAGES, *_LABELS) if name in found}
            listed = ", ".join(found.files)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            reason = f"it is damaged: {error}"
            if "pickle" in str(error):
                reason = "it holds Python objects"
            raise QuantizationError(f"{path} must be a whole file of numbers; {reason}") from None
    images = next((names[name] for name in _IMAGES if name in names), None)
    labels = next((names[name] for name in _LABELS if name in names), None)
    if images is None:
        raise QuantizationError(f"{path} must hold an array named images, not {listed}")
    return Samples(_numbers(images, path), labels)


def _numbers(array: np.ndarray, path: Path) -> np.ndarray:
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_) or np.iscomplexobj(
        array
    ):
        raise QuantizationError(f"{path} must hold real numbers, not {array.dtype}")
    return array
