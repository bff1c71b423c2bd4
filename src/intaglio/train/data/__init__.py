# SPDX-License-Identifier: Apache-2.0
"""Data sets as arrays: one a file, each a function that returns a `Dataset`."""

from __future__ import annotations

from pathlib import Path

from intaglio.train.data.dataset import Dataset
from intaglio.train.data.digits import digits
from intaglio.train.data.idx import mnist

__all__ = ["Dataset", "digits", "load_dataset", "mnist"]


def load_dataset(directory: Path | None) -> Dataset:
    """Read MNIST from a directory of IDX files, or without one the digits of scikit-learn.

    Raises:
        IntaglioError: a file is missing or is not what its name says.
        MissingToolError: scikit-learn is not installed.
    """
    return digits() if directory is None else mnist(directory)
