# SPDX-License-Identifier: Apache-2.0
"""IDX files, plain or gzip, and MNIST, which is four of them.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian uint32, then
the elements, big-endian, last dimension fastest.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", file formats.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.train.data.dataset import Dataset

#: Type code -> element.
ELEMENTS: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_DIMENSIONS = 4
#: A header that asks for more is damaged; no data set of small images is near it.
MAX_BYTES = 1 << 30
GZIP_MAGIC = b"\x1f\x8b"
IMAGES = "images-idx3-ubyte"
LABELS = "labels-idx1-ubyte"
SIDE = 28
CLASSES = 10


def read_idx(path: Path) -> np.ndarray:
    """Read the array in an IDX file, plain or gzip, in this machine's byte order.

    Raises:
        IntaglioError: there is no such file, or it is not IDX, cut short, too long or damaged.
    """
    try:
        with path.open("rb") as stream:
            zipped = stream.read(2) == GZIP_MAGIC
        with gzip.open(path) if zipped else path.open("rb") as stream:
            return _parse(path, cast("BinaryIO", stream))
    except FileNotFoundError:
        raise IntaglioError(f"{path} must be an IDX file; there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise IntaglioError(f"{path} must be a readable IDX file: {error}") from None


def mnist(directory: Path) -> Dataset:
    """Read MNIST: `train-*` and `t10k-*`, or another single set of test images `t10k*-*`.

    Raises:
        IntaglioError: a file is missing, or is not what its name says.
    """
    train_images, train_labels = _part(_find(directory, "train"))
    test_images, test_labels = _part(_find(directory, "t10k"))
    return Dataset("mnist", train_images, train_labels, test_images, test_labels)


def _parse(path: Path, stream: BinaryIO) -> np.ndarray:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in ELEMENTS:
        raise IntaglioError(
            f"{path} must start with the magic number of an IDX file, not {magic.hex() or 'end'}"
        )
    element, rank = ELEMENTS[magic[2]], magic[3]
    if not 1 <= rank <= MAX_DIMENSIONS:
        raise IntaglioError(f"{path} must have 1..{MAX_DIMENSIONS} dimensions, not {rank}")
    header = stream.read(4 * rank)
    if len(header) < 4 * rank:
        raise IntaglioError(f"{path} must hold {rank} dimensions; it ends within them")
    shape = struct.unpack(f">{rank}I", header)
    size = math.prod(shape) * element.itemsize
    if size > MAX_BYTES:
        raise IntaglioError(f"{path} must hold at most {MAX_BYTES} bytes, not {size}")
    content = stream.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else str(len(content))
        raise IntaglioError(f"{path} must hold {size} bytes after its header, not {found}")
    array: np.ndarray = np.frombuffer(content, element).reshape(shape)
    return array.astype(element.newbyteorder("="))


def _find(directory: Path, prefix: str) -> Path:
    """Return the file of images: the one of the standard name, or else the only one like it."""
    if not directory.is_dir():
        raise IntaglioError(
            f"{directory} must be a directory of IDX files; there is no such directory"
        )
    for pattern in (f"{prefix}-{IMAGES}", f"{prefix}*-{IMAGES}"):
        stored = [*directory.glob(pattern), *directory.glob(f"{pattern}.gz")]
        found = sorted({_plain(path) for path in stored})
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise IntaglioError(f"{directory} must hold one {prefix} set of images, not {names}")
        if found:
            return found[0]
    raise IntaglioError(f"{directory} must hold {prefix}-{IMAGES}.gz; there is no such file")


def _plain(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz"))


def _part(plain: Path) -> tuple[np.ndarray, np.ndarray]:
    pixels_path = _stored(plain)
    labels_path = _stored(plain.with_name(plain.name.replace(IMAGES, LABELS)))
    pixels, labels = read_idx(pixels_path), read_idx(labels_path)
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (SIDE, SIDE) or len(pixels) == 0:
        raise IntaglioError(
            f"{pixels_path} must hold uint8 [N, {SIDE}, {SIDE}], "
            f"not {pixels.dtype} {list(pixels.shape)}"
        )
    if labels.dtype != np.uint8 or labels.shape != pixels.shape[:1]:
        raise IntaglioError(
            f"{labels_path} must hold uint8 [{len(pixels)}], a label an image, "
            f"not {labels.dtype} {list(labels.shape)}"
        )
    if labels.max() >= CLASSES:
        raise IntaglioError(f"{labels_path} must hold 0..{CLASSES - 1}, not {labels.max()}")
    images = pixels[:, np.newaxis].astype(np.float32) / np.float32(255)
    return images, labels.astype(np.int64)


def _stored(plain: Path) -> Path:
    """Return the file as it lies there: plain, or else with `.gz`."""
    return plain if plain.exists() else plain.with_name(f"{plain.name}.gz")
