# SPDX-License-Identifier: Apache-2.0
"""Frames as stream beats and back: how arrays enter and leave a design."""

from __future__ import annotations

import numpy as np

from intaglio.hw.unit import Stream


def words_per_beat(stream: Stream) -> int:
    """32-bit words that hold one beat."""
    return -(-stream.width // 32)


def to_beats(frames: np.ndarray, stream: Stream) -> np.ndarray:
    """Pack integer frames into beats.

    Shapes: frames [N, *frame]; result [N * beats, words_per_beat] uint32, lowest bits first.
    """
    lanes, width = stream.lanes, stream.element.width
    fields = frames.reshape(-1, lanes).astype(np.int64) & ((1 << width) - 1)
    bits = (fields[:, :, None] >> np.arange(width)) & 1
    return _words(bits.reshape(len(fields), lanes * width).astype(np.uint8), stream)


def from_beats(words: np.ndarray, stream: Stream, shape: tuple[int, ...]) -> np.ndarray:
    """Return the integer frames of packed beats: the inverse of `to_beats`.

    Shapes: words [N * beats, words_per_beat]; result [N, *shape] int64.
    """
    lanes, width = stream.lanes, stream.element.width
    data = np.ascontiguousarray(words, dtype="<u4").view(np.uint8)
    bits = np.unpackbits(data, axis=1, bitorder="little")[:, : lanes * width]
    weights = np.int64(1) << np.arange(width, dtype=np.int64)
    if stream.element.signed:
        weights[-1] = -weights[-1]
    return (bits.reshape(-1, lanes, width).astype(np.int64) @ weights).reshape(-1, *shape)


def hex_beats(words: np.ndarray, width: int) -> str:
    """Print packed beats for `$readmemh`, one a line."""
    digits = (width + 3) // 4
    return "".join(
        f"{int.from_bytes(row.astype('<u4').tobytes(), 'little'):0{digits}x}\n" for row in words
    )


def _words(bits: np.ndarray, stream: Stream) -> np.ndarray:
    padded = np.zeros((len(bits), words_per_beat(stream) * 32), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return np.packbits(padded, axis=1, bitorder="little").view("<u4")
