# SPDX-License-Identifier: Apache-2.0
"""Small pictures of a network's input as PNG data, for a page that has to hold everything itself.

Source: W3C, "Portable Network Graphics (PNG) Specification", third edition, sections 5 and 11.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

#: Pixels along the longer side, at most: larger pictures are thinned out.
LARGEST = 96


def picture(frame: np.ndarray, low: float, high: float) -> np.ndarray | None:
    """Turn a frame into pixels, or into None where it is no image.

    Shapes: frame [H, W, C]; pixels uint8, [H, W, 3] in color for three channels, otherwise [H, W],
    the channels' mean. `low` becomes black and `high` white.
    """
    if frame.ndim != 3:
        return None
    step = -(-max(frame.shape[:2]) // LARGEST)
    thin = frame[::step, ::step].astype(np.float64)
    if thin.shape[2] != 3:
        thin = thin.mean(axis=2)
    level = (thin - low) / (high - low) if high > low else np.zeros_like(thin)
    return np.floor(np.clip(level, 0, 1) * 255 + 0.5).astype(np.uint8)


def data_uri(pixels: np.ndarray) -> str:
    """Return pixels as a PNG in the form that stands in an image's source."""
    return f"data:image/png;base64,{base64.b64encode(encode(pixels)).decode('ascii')}"


def encode(pixels: np.ndarray) -> bytes:
    """Return a PNG file. Shapes: pixels uint8, [H, W] or [H, W, 3]."""
    height, width = pixels.shape[:2]
    color = 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    lines = b"".join(b"\0" + np.ascontiguousarray(line).tobytes() for line in pixels)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
