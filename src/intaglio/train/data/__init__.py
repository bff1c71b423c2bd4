# SPDX-License-Identifier: Apache-2.0
"""Data sets as arrays: one a file, each a function that returns a `Dataset`."""

from __future__ import annotations

from pathlib import Path

from intaglio.errors import IntaglioError
from intaglio.train.data.arrays import arrays
from intaglio.train.data.cifar import cifar, is_cifar
from intaglio.train.data.dataset import Dataset
from intaglio.train.data.digits import digits
from intaglio.train.data.idx import IMAGES, mnist
from intaglio.train.data.image_folders import image_folders, is_image_folders
from intaglio.train.data.sign_mnist import is_sign_mnist, sign_mnist

__all__ = [
    "Dataset",
    "arrays",
    "cifar",
    "digits",
    "image_folders",
    "load_dataset",
    "mnist",
    "sign_mnist",
]


def load_dataset(place: Path | None) -> Dataset:
    """Read the data set in a folder or an .npz file by what is there; without one the digits.

    A folder has IDX files as MNIST, CIFAR's batches, Sign-MNIST's CSV files, one .npz file, or
    images in `train` and `test`.

    Raises:
        IntaglioError: a file is missing or is not what its name says.
        MissingToolError: scikit-learn, or Pillow, is not installed.
    """
    if place is None:
        return digits()
    if place.suffix == ".npz":
        return arrays(place)
    if not place.is_dir():
        raise IntaglioError(f"{place} must be a folder of data; there is no such folder")
    if any(place.glob(f"*{IMAGES}*")):
        return mnist(place)
    if is_cifar(place):
        return cifar(place)
    if is_sign_mnist(place):
        return sign_mnist(place)
    found = sorted(place.glob("*.npz"))
    if len(found) == 1:
        return arrays(found[0])
    if is_image_folders(place):
        return image_folders(place)
    raise IntaglioError(
        f"{place} must hold a data set: train-{IMAGES}.gz and its like, CIFAR's batches, "
        "Sign-MNIST's CSV files, one .npz file, or images in train/CLASS and test/CLASS"
    )
