# SPDX-License-Identifier: Apache-2.0
"""Images in folders: `train/CLASS/*` and `test/CLASS/*`, in PNG, JPEG or PPM, all of one size.

The classes are the folders of `train`, by name. Images are gray if all are, else red, green, blue.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.train import require
from intaglio.train.data.dataset import Dataset

PARTS = ("train", "test")
SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "PPM")
#: A side of an image for a network on an FPGA; a file that claims more is damaged or hostile.
MAX_SIDE = 4096
GRAY_MODES = ("1", "L", "I;16", "I")


def image_folders(directory: Path) -> Dataset:
    """Read a data set of image files.

    Raises:
        IntaglioError: a folder is missing or empty, an image is damaged, or of another size.
        MissingToolError: Pillow is not installed.
    """
    require("PIL", "pillow", "a data set of image files")
    names = _classes(directory / "train")
    unknown = sorted(set(_classes(directory / "test")) - set(names))
    if unknown:
        raise IntaglioError(
            f"{directory / 'test'} must have classes of train only, not {unknown[0]!r}"
        )
    files = {part: _files(directory / part, names) for part in PARTS}
    pictures = {part: [_read(path) for path, _ in files[part]] for part in PARTS}
    first = pictures["train"][0].shape[1:]
    for part in PARTS:
        for (path, _), picture in zip(files[part], pictures[part], strict=True):
            if picture.shape[1:] != first:
                raise IntaglioError(
                    f"{path} must be {first[1]}x{first[0]} as the first image is, "
                    f"not {picture.shape[2]}x{picture.shape[1]}"
                )
    colored = any(len(picture) == 3 for part in PARTS for picture in pictures[part])
    arrays = []
    for part in PARTS:
        stacked = np.stack(
            [np.repeat(p, 3, 0) if colored and len(p) == 1 else p for p in pictures[part]]
        )
        arrays.append(stacked.astype(np.float32) / np.float32(255))
        arrays.append(np.array([label for _, label in files[part]], dtype=np.int64))
    train, train_labels, test, test_labels = arrays
    name = directory.resolve().name
    return Dataset(name, train, train_labels, test, test_labels, tuple(names))


def is_image_folders(directory: Path) -> bool:
    """Tell whether there are folders for training and for testing."""
    return all((directory / part).is_dir() for part in PARTS)


def _classes(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise IntaglioError(f"{folder} must be a folder of classes; there is no such folder")
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if not found:
        raise IntaglioError(f"{folder} must hold a folder for each class; it holds none")
    return found


def _files(folder: Path, names: list[str]) -> list[tuple[Path, int]]:
    found = [
        (path, label)
        for label, name in enumerate(names)
        if (folder / name).is_dir()
        for path in sorted((folder / name).iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise IntaglioError(f"{folder} must hold images, {', '.join(SUFFIXES)}; it holds none")
    return found


def _read(path: Path) -> np.ndarray:
    """Return an image, uint8 [C, H, W]."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            if max(image.size) > MAX_SIDE:
                wide, high = image.size
                raise IntaglioError(f"{path} must be at most {MAX_SIDE} a side, not {wide}x{high}")
            gray = image.mode in GRAY_MODES
            pixels = np.asarray(image.convert("L" if gray else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise IntaglioError(f"{path} must be a whole PNG, JPEG or PPM image: {error}") from None
    return pixels[np.newaxis] if gray else pixels.transpose(2, 0, 1)
