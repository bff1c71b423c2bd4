# SPDX-License-Identifier: Apache-2.0
"""Files of text that people write or other programs print: read whole, or refused in one line."""

from __future__ import annotations

from pathlib import Path

from intaglio.errors import IntaglioError

#: Larger files are a mistake; a year of prices of all sizes of a region is smaller.
MOST_BYTES = 1 << 30


def read_text(path: Path, what: str) -> str:
    """Return a file's text; `what` says what it must be, such as "a job file".

    Raises:
        IntaglioError: it is missing, too large, or not text.
    """
    if not path.is_file():
        raise IntaglioError(f"{path} must be {what}; there is no such file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise IntaglioError(f"{path} must be {what} of at most {MOST_BYTES} bytes, not {size}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise IntaglioError(f"{path} must be {what}, not something other than text") from None
