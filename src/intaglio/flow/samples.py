# SPDX-License-Identifier: Apache-2.0
"""Read a user's data by what it is: arrays, tables, folders, functions, or the built-in digits."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.flow.feed import ITERATIONS, is_feed, read_feed
from intaglio.flow.pictures import is_table, picture_files, read_pictures, read_table
from intaglio.ir.graph import Graph

#: The name that stands for the handwritten digits that come with scikit-learn.
DIGITS = "digits"
_IMAGES = ("images", "x_test", "x", "data", "arr_0")
_LABELS = ("labels", "y_test", "y")
_ZIP, _NUMPY = b"PK\x03\x04", b"\x93NUMPY"


@dataclass(frozen=True)
class Samples:
    """Frames in the source model's axis order, and their labels where there are any.

    `batch` is how many frames came together, where they did. `pictures` have their channels first,
    whatever the model.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    batch: int | None = None
    pictures: bool = False

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
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, images=self.images[:count], labels=labels)

    def fitted(self, graph: Graph) -> Samples:
        """Return pictures as a model takes them: channels last, or all pixels in a row."""
        shape = graph.inputs[0].type.shape
        images = self.images
        if not self.pictures or images.ndim != 4 or graph.channels_first:
            return self
        if images.shape[1:] != shape and images.transpose(0, 2, 3, 1).shape[1:] == shape:
            images = images.transpose(0, 2, 3, 1)
        elif shape == (images[0].size,):
            images = images.reshape(len(images), -1)
        return replace(self, images=images)


def read_samples(
    source: str | Path, *, training: bool = False, iterations: int = ITERATIONS
) -> Samples:
    """Read data by what it is.

    Args:
        source: a .npy or .npz file (`images` and `labels`, or `x_test` and `y_test`), a .csv file
            with a picture in each row, a folder of images or of MNIST-style IDX files, a function
            as `module:function`, or the word `digits`.
        training: of a data set that comes in two parts, take the training part.
        iterations: how often a function is called.

    Raises:
        QuantizationError: it is missing, damaged, empty, or holds no images.
    """
    path = Path(source)
    if path.is_dir() and picture_files(path):
        return Samples(*read_pictures(path), pictures=True)
    if str(source) == DIGITS or path.is_dir():
        return _dataset(None if str(source) == DIGITS else path, training=training)
    if is_feed(str(source)):
        batches = read_feed(str(source), iterations)
        return Samples(np.concatenate(batches), batch=len(batches[0]))
    if not path.is_file():
        raise QuantizationError(
            "data must be a .npy, .npz or .csv file, a folder of images or of IDX files, "
            f"module:function or {DIGITS!r}; there is no {path}"
        )
    if is_table(path):
        return Samples(*read_table(path), pictures=True)
    samples = _arrays(path)
    if samples.images.ndim < 2 or len(samples.images) == 0:
        raise QuantizationError(
            f"{path} must hold at least one frame, [N, *frame], not {samples.images.shape}"
        )
    if samples.labels is not None and samples.labels.shape[:1] != samples.images.shape[:1]:
        raise QuantizationError(
            f"{path} must hold a label an image, not labels of shape {samples.labels.shape} "
            f"for {len(samples.images)}"
        )
    return samples


def _dataset(folder: Path | None, *, training: bool) -> Samples:
    from intaglio.train.data import load_dataset

    dataset = load_dataset(folder)
    if training:
        return Samples(dataset.train_images, dataset.train_labels, pictures=True)
    return Samples(dataset.test_images, dataset.test_labels, pictures=True)


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
