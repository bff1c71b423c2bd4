# SPDX-License-Identifier: Apache-2.0
"""Which frames a program was calibrated with, in few bytes, and whether others are the same ones.

A program that is judged by the frames it was calibrated with is judged too well. Of the hashes of
all frames the 1024 smallest are kept; a frame of another set is one of them if its hash is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import numpy as np

#: Hashes that are kept at most.
KEPT = 1024


def fingerprints(frames: np.ndarray) -> list[str]:
    """Return the smallest hashes of frames, in order. Shapes: frames [N, ...]."""
    return sorted(set(_hashes(frames)))[:KEPT]


def seen_before(known: Collection[str], frames: np.ndarray) -> int:
    """Return how many frames are among those that hashes were kept of: no more than were seen."""
    kept = set(known)
    return sum(found in kept for found in _hashes(frames))


def seen_warning(seen: int, count: int) -> str:
    """Return what is to be said of so many of a set's frames."""
    return (
        f"at least {seen} of {count} images are those that the program was calibrated with: "
        "its accuracy on others may be lower"
    )


def _hashes(frames: np.ndarray) -> list[str]:
    floats = np.ascontiguousarray(frames, dtype=np.float32)
    return [hashlib.blake2b(frame.tobytes(), digest_size=8).hexdigest() for frame in floats]
