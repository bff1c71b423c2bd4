# SPDX-License-Identifier: Apache-2.0
"""Tensors as memory words: fields of two's complement, the first field in the lowest bits."""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError


def pack(fields: np.ndarray, width: int) -> list[int]:
    """Pack rows of integers into words.

    Shapes: fields [words, fields a word]; the result has one Python integer a word.

    Raises:
        ModelError: a value does not fit `width` bits, signed or unsigned.
    """
    fields = np.asarray(fields)
    if fields.size and (fields.min() < -(1 << (width - 1)) or fields.max() >= 1 << width):
        raise ModelError(
            f"every field must fit {width} bits, not range over {fields.min()}..{fields.max()}"
        )
    mask = (1 << width) - 1
    words = []
    for row in fields.tolist():
        word = 0
        for position, value in enumerate(row):
            word |= (value & mask) << (position * width)
        words.append(word)
    return words


def unpack(words: list[int], width: int, count: int, *, signed: bool) -> np.ndarray:
    """Return the fields of packed words: the inverse of `pack`.

    Shapes: result [words, count] int64.
    """
    mask, sign = (1 << width) - 1, 1 << (width - 1)
    rows = [[(word >> (i * width)) & mask for i in range(count)] for word in words]
    fields = np.array(rows, dtype=np.int64).reshape(len(words), count)
    return np.where(fields & sign, fields - (mask + 1), fields) if signed else fields


def hex_lines(words: list[int], width: int) -> str:
    """Print words for `$readmemh`: one a line, all digits of `width` bits."""
    digits = (width + 3) // 4
    return "".join(f"{word:0{digits}x}\n" for word in words)
