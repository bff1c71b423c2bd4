# SPDX-License-Identifier: Apache-2.0
"""Texts in a user's files, each with the place where it stands, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from intaglio.errors import ModelError

#: Larger than any file of layers; a mistaken path may name anything.
LARGEST_FILE = 16 << 20


class Field(NamedTuple):
    """A text, its name, and where it stands: `FILE:LINE`."""

    where: str
    name: str
    text: str


def read_text(path: Path, what: str) -> str:
    """Return a file's text.

    Raises:
        ModelError: there is no such file, or it is not text.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else None
    except FileNotFoundError:
        raise ModelError(f"{path} must be {what}; there is no such file") from None
    except IsADirectoryError:
        raise ModelError(f"{path} must be {what}, not a folder") from None
    if data is None:
        raise ModelError(f"{path} must be {what} of at most {LARGEST_FILE >> 20} MB; it is larger")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ModelError(f"{path} must be {what} in UTF-8; it is not text") from None


def whole(field: Field, low: int, high: int) -> int:
    """Read a whole number in a range.

    Raises:
        ModelError: it is not one.
    """
    text = field.text.strip()
    number = int(text) if len(text) < 20 and text.isascii() and text.isdecimal() else -1
    if not low <= number <= high:
        raise ModelError(
            f"{field.where}: {field.name} must be a whole number from {low} to {high}, "
            f"not {text[:40]!r}"
        )
    return number
