# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10 and CIFAR-100 as published for Python: pickles, read without running anything in them.

A batch is a dictionary with `data`, uint8 [N, 3072], channels, rows, columns; and `labels`, or
`fine_labels` for 100 classes. A pickle can name any function to be called; the reader here knows
the four names by which arrays and bytes are written, has plain records of its own in their place,
and refuses all others.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; file layout
from https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import io
import math
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from intaglio.errors import IntaglioError
from intaglio.train.data.dataset import Dataset

SIDE, CHANNELS = 32, 3
PIXELS = CHANNELS * SIDE * SIDE
#: No batch is near it.
MAX_BYTES = 1 << 30
ROOTS = ("", "cifar-10-batches-py", "cifar-100-python")
ARCHIVES = ("cifar-10-python.tar.gz", "cifar-100-python.tar.gz")
_TEN = ([f"data_batch_{number}" for number in range(1, 6)], ["test_batch"])
_HUNDRED = (["train"], ["test"])


def cifar(directory: Path) -> Dataset:
    """Read CIFAR-10 or CIFAR-100 from its unpacked files, or from the archive they come in.

    Raises:
        IntaglioError: a file is missing, damaged, or holds something else than a batch.
    """
    for root in ROOTS:
        for names in (_TEN, _HUNDRED):
            if (directory / root / names[0][0]).is_file():
                return _dataset(names, partial(_file, directory / root))
    for archive in ARCHIVES:
        if (directory / archive).is_file():
            return _archived(directory / archive)
    raise IntaglioError(f"{directory} must hold CIFAR's batches, such as data_batch_1; it does not")


def is_cifar(directory: Path) -> bool:
    """Tell whether there are batches, or an archive of them."""
    firsts = [directory / root / names[0][0] for root in ROOTS for names in (_TEN, _HUNDRED)]
    return any(path.is_file() for path in [*firsts, *(directory / name for name in ARCHIVES)])


def _file(folder: Path, name: str) -> tuple[str, bytes]:
    path = folder / name
    if not path.is_file():
        raise IntaglioError(f"{path} must be a batch of CIFAR; there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise IntaglioError(f"{path} must hold at most {MAX_BYTES} bytes")
    return str(path), path.read_bytes()


def _archived(path: Path) -> Dataset:
    hundred = "100" in path.name
    root = ROOTS[2] if hundred else ROOTS[1]
    found: dict[str, bytes] = {}
    wanted = [name for part in (_HUNDRED if hundred else _TEN) for name in part]
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.removeprefix("./").removeprefix(f"{root}/")
                if name in wanted and member.isfile() and member.size <= MAX_BYTES:
                    stream = archive.extractfile(member)
                    found[name] = stream.read() if stream is not None else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise IntaglioError(f"{path} must be a whole archive of CIFAR: {error}") from None

    def member_of(name: str) -> tuple[str, bytes]:
        if name not in found:
            raise IntaglioError(f"{path} must hold {root}/{name}; it does not")
        return f"{path}, {name},", found[name]

    return _dataset(_HUNDRED if hundred else _TEN, member_of)


def _dataset(
    names: tuple[list[str], list[str]], read: Callable[[str], tuple[str, bytes]]
) -> Dataset:
    hundred = names is _HUNDRED
    classes = 100 if hundred else 10
    parts = []
    for files in names:
        batches = [_batch(*read(name), classes) for name in files]
        pixels = np.concatenate([batch[0] for batch in batches])
        labels = np.concatenate([batch[1] for batch in batches])
        images = pixels.reshape(-1, CHANNELS, SIDE, SIDE).astype(np.float32) / np.float32(255)
        parts += [images, labels]
    train, train_labels, test, test_labels = parts
    name = "cifar100" if hundred else "cifar10"
    return Dataset(name, train, train_labels, test, test_labels)


def _batch(where: str, content: bytes, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch's pixels, uint8 [N, 3072], and labels, int64 [N]."""
    document = read_pickle(where, content)
    if not isinstance(document, dict):
        raise IntaglioError(f"{where} must hold a dictionary, not {type(document).__name__}")
    by_name = {_text(key): value for key, value in document.items()}
    pixels, labels = by_name.get("data"), by_name.get("fine_labels", by_name.get("labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise IntaglioError(f"{where} must hold data, uint8 [N, {PIXELS}]")
    if pixels.shape[1] != PIXELS or not len(pixels):
        raise IntaglioError(f"{where} must hold data, uint8 [N, {PIXELS}], not {pixels.shape}")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise IntaglioError(f"{where} must hold labels, a list of integers")
    if len(labels) != len(pixels):
        raise IntaglioError(f"{where} must hold {len(pixels)} labels, not {len(labels)}")
    if not all(0 <= label < classes for label in labels):
        raise IntaglioError(f"{where} must hold labels in 0..{classes - 1}")
    return pixels, np.asarray(labels, dtype=np.int64)


def read_pickle(where: str, content: bytes) -> Any:
    """Read plain values and arrays from a pickle; run nothing.

    Raises:
        IntaglioError: it is no pickle, cut short, or asks for anything else.
    """
    try:
        return _finished(_Reader(io.BytesIO(content), encoding="bytes").load())
    except IntaglioError as error:
        raise IntaglioError(f"{where} must hold {error}") from None
    except Exception as error:  # noqa: BLE001  a damaged pickle can fail in any way
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise IntaglioError(f"{where} must be a whole batch of CIFAR: {reason}") from None


class _Kind:
    """What a pickle says of an array's elements."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = _text(name)

    def __setstate__(self, state: Any) -> None:
        """Take no notice: byte order, and fields that no batch has."""


@dataclass
class _Array:
    """What a pickle says of an array."""

    state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, tuple) else ()

    def numbers(self) -> np.ndarray:
        """Return the array.

        Raises:
            IntaglioError: it is not one of bytes or integers, or not whole.
        """
        shape, kind, column_major, content = (*self.state, *(None,) * 5)[1:5]
        good = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        name = kind.name if isinstance(kind, _Kind) else None
        if not good or name not in {"u1", "i8"} or column_major or not isinstance(content, bytes):
            raise IntaglioError("arrays of bytes or integers, row by row")
        element = np.dtype(name)
        if math.prod(shape) * element.itemsize != len(content):
            raise IntaglioError(f"{shape} elements of {name} in an array, not {len(content)} bytes")
        array: np.ndarray = np.frombuffer(content, element).reshape(shape)
        return array


def _encoded(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise IntaglioError("bytes written as latin1")
    return text.encode("latin1")


#: All that a pickle may name, and what we have in its place.
_KNOWN: Mapping[tuple[str, str], Callable[..., Any]] = MappingProxyType(
    {
        ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
        ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Kind,
        ("_codecs", "encode"): _encoded,
    }
)


class _Reader(pickle.Unpickler):
    """Knows no names but those of arrays and bytes."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Return our own record for a name.

        Raises:
            IntaglioError: it is another name.
        """
        if (module, name) not in _KNOWN:
            raise IntaglioError(f"arrays, lists and text only, not {module}.{name}")
        return _KNOWN[module, name]


def _finished(value: Any) -> Any:
    """Put arrays in the places of their records, in a dictionary or a list."""
    if isinstance(value, _Array):
        return value.numbers()
    if isinstance(value, dict):
        return {key: _finished(item) for key, item in value.items()}
    return value


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
