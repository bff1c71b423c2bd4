# SPDX-License-Identifier: Apache-2.0
"""Labeled images, split in two: one part to learn from, one to be judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.artifact import content_hash
from intaglio.errors import IntaglioError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, checked once and read-only from then on.

    Shapes: images [N, C, H, W] float32 in [0, 1], as torch has them; labels [N] int64 from 0 on.
    `names` are those of the classes, where they have any.

    Raises:
        IntaglioError: an array has another type, shape or range.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(f"{self.name} train", self.train_images, self.train_labels)
        _check(f"{self.name} test", self.test_images, self.test_labels)
        train, test = self.train_images.shape[1:], self.test_images.shape[1:]
        if train != test:
            raise IntaglioError(f"{self.name} test images must be {train} each, not {test}")
        if self.names and len(self.names) <= self._highest:
            raise IntaglioError(
                f"{self.name} must have a name for each of {self._highest + 1} classes, "
                f"not {len(self.names)}"
            )
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            array.setflags(write=False)

    def __str__(self) -> str:
        channels, height, width = self.train_images.shape[1:]
        return (
            f"{self.name}: {len(self.train_labels)} train and {len(self.test_labels)} test images, "
            f"{channels}x{height}x{width}, {self.classes} classes"
        )

    @property
    def classes(self) -> int:
        """As many as have names, or one more than the highest label."""
        return len(self.names) or self._highest + 1

    @property
    def _highest(self) -> int:
        return int(max(self.train_labels.max(), self.test_labels.max()))

    @property
    def sha256(self) -> str:
        """Hash of name, images and labels."""
        arrays = {
            "train_images": self.train_images,
            "train_labels": self.train_labels,
            "test_images": self.test_images,
            "test_labels": self.test_labels,
        }
        return content_hash("dataset", {"name": self.name}, arrays)


def _check(what: str, images: np.ndarray, labels: np.ndarray) -> None:
    if images.ndim != 4 or images.dtype != np.float32:
        raise IntaglioError(
            f"{what} images must be float32 [N, C, H, W], not {images.dtype} {list(images.shape)}"
        )
    if labels.ndim != 1 or labels.dtype != np.int64:
        raise IntaglioError(
            f"{what} labels must be int64 [N], not {labels.dtype} {list(labels.shape)}"
        )
    if len(images) != len(labels):
        raise IntaglioError(
            f"{what} labels must be one for each of {len(images)} images, not {len(labels)}"
        )
    if images.size == 0:
        raise IntaglioError(f"{what} images must hold a pixel at least, not {list(images.shape)}")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0.0 and high <= 1.0):
        raise IntaglioError(f"{what} images must lie in 0..1, not in {low:g}..{high:g}")
    if labels.min() < 0:
        raise IntaglioError(f"{what} labels must count from 0, not from {labels.min()}")
