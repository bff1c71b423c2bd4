# SPDX-License-Identifier: Apache-2.0
"""Pictures as frames: folders of image files, and tables with a picture in each row.

Frames are [N, C, H, W] float32 with bytes as parts of 255, which is what networks are trained on.
"""

from __future__ import annotations

import gzip
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from intaglio.errors import QuantizationError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
TABLES = (".csv", ".csv.gz")
#: Names of the column that holds classes.
LABELS = ("label", "labels", "class")


def is_table(path: Path) -> bool:
    """Tell whether a file is named as a table is."""
    return path.name.lower().endswith(TABLES)


def picture_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, or else of its subfolders, which then are classes."""
    own = _images(folder)
    below = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    return own or [file for path in below for file in _images(path)]


def read_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a folder of images, all of one size; a class is the place of its subfolder by name.

    Shapes: images [N, C, H, W], one channel where all are gray; labels [N], or None.

    Raises:
        QuantizationError: a file is no image, or of another size than the first.
    """
    files = picture_files(folder)
    pixels = [_pixels(path) for path in tqdm(files, "read", leave=False, delay=2, unit="picture")]
    gray = all(array.ndim == 2 for array in pixels)
    frames: list[np.ndarray] = []
    for path, array in zip(files, pixels, strict=True):
        whole = array[..., None] if array.ndim == 2 else array
        whole = whole if gray else np.broadcast_to(whole, (*array.shape[:2], 3))
        if frames and whole.shape != frames[0].shape:
            size, first = (f"{a.shape[1]}x{a.shape[0]}" for a in (whole, frames[0]))
            raise QuantizationError(f"{path} must be {first} pixels, as {files[0]} is, not {size}")
        frames.append(whole)
    images = np.stack(frames).transpose(0, 3, 1, 2).astype(np.float32) / 255
    if files[0].parent == folder:
        return images, None
    classes = sorted({path.parent for path in files})
    return images, np.array([classes.index(path.parent) for path in files], dtype=np.int64)


def read_table(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a table of pixels, one picture a row, its class in a column named label if there is one.

    Without a line of names the first column is the class where only the others make a square.

    Shapes: images [N, 1, side, side], or [N, pixels] where there is no square; labels [N].

    Raises:
        QuantizationError: a row is not numbers, or has more or fewer than others.
    """
    try:
        with _opened(path) as stream:
            names = stream.readline().strip().split(",")
            named = not all(_number(name) for name in names)
            if not named:
                stream.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of no rows, which is found below
                rows = np.loadtxt(_progress(stream, path), delimiter=",", ndmin=2)
    except (OSError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise QuantizationError(f"{path} must be rows of numbers: {error}") from None
    if rows.size == 0:
        raise QuantizationError(f"{path} must hold at least one frame, not 0")
    if named:
        columns = [i for i, name in enumerate(names) if name.strip('" ').lower() in LABELS]
    else:
        columns = [0] if not _side(rows.shape[1]) and _side(rows.shape[1] - 1) else []
    pixels = np.delete(rows, columns, axis=1)
    if np.all((pixels >= 0) & (pixels <= 255) & (pixels == np.floor(pixels))) and pixels.max() > 1:
        pixels = pixels / 255
    images = pixels.astype(np.float32)
    if side := _side(images.shape[1]):
        images = images.reshape(-1, 1, side, side)
    return images, _classes(path, rows[:, columns[0]]) if columns else None


def _classes(path: Path, labels: np.ndarray) -> np.ndarray:
    bad = labels != np.floor(labels)
    if bad.any():
        first = int(bad.argmax())
        raise QuantizationError(
            f"{path} must have whole numbers as labels, not {labels[first]:g} in row {first}"
        )
    return labels.astype(np.int64)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _pixels(path: Path) -> np.ndarray:
    """Return a picture's bytes: [H, W] where it is gray, [H, W, 3] otherwise."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            gray = image.mode in ("1", "L")
            return np.asarray(image.convert("L" if gray else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise QuantizationError(f"{path} must be a whole image file: {error}") from None


def _opened(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _progress(stream: TextIO, path: Path) -> Iterator[str]:
    yield from tqdm(stream, f"read {path.name}", leave=False, delay=2, unit="row")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _side(pixels: int) -> int:
    """Return the side of a square of so many pixels, 0 where there is none."""
    side = math.isqrt(max(pixels, 0))
    return side if side * side == pixels else 0
