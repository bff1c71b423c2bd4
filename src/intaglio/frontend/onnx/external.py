# SPDX-License-Identifier: Apache-2.0
"""Tensors kept beside an ONNX file, read by our own rules.

A model may only name a plain file in its own directory: no path, no link of either kind, and
exactly the bytes its shape needs. Three published holes of the format are variations of one missing
rule here.

Source: CVE-2024-27318, CVE-2026-27489, CVE-2026-34447 (external data of the onnx package).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from intaglio.errors import ModelError


def read_external(folder: Path, tensor: str, entries: Mapping[str, str], size: int) -> bytes:
    """Return the bytes of one tensor.

    Args:
        folder: the directory of the model file.
        tensor: its name, for messages.
        entries: the tensor's `external_data`: location, offset, length.
        size: how many bytes its shape needs.

    Raises:
        ModelError: the location is not a plain file there, or has not got those bytes.
    """
    location = entries.get("location", "")
    where = f"tensor {tensor!r}: its external data"
    if location in ("", ".", "..") or any(mark in location for mark in "/\\\0:"):
        raise ModelError(f"{where} must be a file beside the model, not {location!r}")
    offset, length = (_number(where, entries, key, size) for key in ("offset", "length"))
    if length != size:
        raise ModelError(f"{where} must be {size} bytes as its shape says, not {length}")
    try:
        handle = os.open(folder / location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ModelError(
            f"{where} must be a readable plain file {location!r} beside the model: {error.strerror}"
        ) from None
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ModelError(f"{where} must be a plain file, not a link: copy {location!r}")
        if offset + length > status.st_size:
            raise ModelError(
                f"{where} must lie in {location!r}, not end at byte {offset + length} "
                f"of {status.st_size}"
            )
        stream.seek(offset)
        return stream.read(length)


def _number(where: str, entries: Mapping[str, str], key: str, size: int) -> int:
    text = entries.get(key, "0" if key == "offset" else str(size))
    if not text.isascii() or not text.isdigit() or len(text) > len(str(1 << 63)):
        raise ModelError(f"{where} must have a {key} in bytes, not {text[:40]!r}")
    return int(text)
