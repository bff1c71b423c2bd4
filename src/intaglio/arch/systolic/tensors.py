# SPDX-License-Identifier: Apache-2.0
"""Where values and constants lie in an array's external memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.arch.systolic.array import MULTIPLIER_BITS, PARAMETER_CONTAINER, Array
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Tensor:
    """A stored value: rows of an image, each from a beat of its own on.

    `pitch` elements lie from a row to the next. A value that is read in another shape is `packed`:
    its rows lie one behind the other without a gap. A value wider than an activation is stored in
    `planes`, its lowest bits first, each an image by itself.
    """

    name: str
    shape: tuple[int, int, int]
    element: IntType
    beat: int
    pitch: int
    beat_elements: int
    planes: int = 1
    packed: bool = False

    @property
    def row_elements(self) -> int:
        """Elements of a row that mean something."""
        return self.shape[1] * self.shape[2]

    @property
    def whole(self) -> range:
        """All rows."""
        return range(self.shape[0])

    @property
    def plane_beats(self) -> int:
        """Beats of one plane."""
        return -(-self.shape[0] * self.pitch // self.beat_elements)

    @property
    def beats(self) -> int:
        """Beats it takes."""
        return self.planes * self.plane_beats

    def rows_at(self, rows: range, plane: int = 0) -> tuple[int, int]:
        """Return first beat and number of beats of some rows; of a packed one, all there are."""
        first = self.beat + plane * self.plane_beats
        if self.packed:
            return first, self.plane_beats
        row_beats = self.pitch // self.beat_elements
        return first + rows.start * row_beats, len(rows) * row_beats


def tensor(
    name: str,
    shape: tuple[int, int, int],
    element: IntType,
    beat: int,
    array: Array,
    *,
    packed: bool = False,
) -> Tensor:
    """Lay a value out from a beat on."""
    row = shape[1] * shape[2]
    pitch = row if packed else -(-row // array.act_beat) * array.act_beat
    planes = -(-element.width // array.act_bits)
    return Tensor(name, shape, element, beat, pitch, array.act_beat, planes, packed)


def pack(values: np.ndarray, container: int) -> bytes:
    """Return integers as bytes, the first in the lowest bits; a container is 2 to 64 bits wide."""
    flat = values.reshape(-1).astype(np.int64)
    if container >= 8:
        return flat.astype(f"<u{container // 8}").tobytes()
    per_byte = 8 // container
    padded = np.zeros(-(-len(flat) // per_byte) * per_byte, np.int64)
    padded[: len(flat)] = flat & ((1 << container) - 1)
    shifts = np.arange(per_byte) * container
    return (padded.reshape(-1, per_byte) << shifts).sum(axis=1).astype(np.uint8).tobytes()


def unpack(data: bytes, container: int) -> np.ndarray:
    """Return the containers of bytes as unsigned int64."""
    raw = np.frombuffer(data, np.uint8).astype(np.int64)
    if container == 8:
        return raw
    shifts = np.arange(8 // container) * container
    return ((raw[:, None] >> shifts) & ((1 << container) - 1)).reshape(-1)


def frame_bytes(frame: np.ndarray, place: Tensor, array: Array) -> bytes:
    """Return a frame as the array's memory holds it, plane by plane.

    Shapes: frame of `place.shape`, integers.
    """
    rows = np.zeros((place.shape[0], place.pitch), np.int64)
    rows[:, : place.row_elements] = frame.reshape(place.shape[0], -1)
    whole = np.zeros((place.planes, place.plane_beats * place.beat_elements), np.int64)
    for plane in range(place.planes):
        bits = rows.reshape(-1) >> (plane * array.act_bits)
        whole[plane, : rows.size] = bits & ((1 << array.act_bits) - 1)
    return pack(whole, array.act_container)


def frame_of(data: bytes, place: Tensor, array: Array) -> np.ndarray:
    """Return the frame that memory holds, as int64 [H, W, C]: the inverse of `frame_bytes`."""
    height, bits = place.shape[0], array.act_bits
    flat = unpack(data, array.act_container).reshape(place.planes, -1)[:, : height * place.pitch]
    planes = flat.reshape(place.planes, height, place.pitch)[:, :, : place.row_elements]
    planes = planes & ((1 << bits) - 1)
    shifts = np.arange(place.planes)[:, None, None] * bits
    code = (planes << shifts).sum(axis=0) & ((1 << place.element.width) - 1)
    if place.element.signed:
        code = np.where(code >> (place.element.width - 1), code - (1 << place.element.width), code)
    return code.reshape(place.shape)


def parameter_bytes(
    bias: np.ndarray, multiplier: np.ndarray, remainder: np.ndarray, array: Array
) -> bytes:
    """Return words of parameters: a container a lane, bias, multiplier, remainder from below.

    Shapes: bias, multiplier and remainder [words, lanes].
    """
    low = bias.astype(np.int64) & ((1 << array.sum_bits) - 1)
    high = multiplier.astype(np.int64) | (remainder.astype(np.int64) << MULTIPLIER_BITS)
    return pack(low | (high << array.sum_bits), PARAMETER_CONTAINER)


class Image:
    """Memory as it is filled: constants one behind the other, each from a beat on."""

    def __init__(self, array: Array) -> None:
        self.beat_bytes = array.beat_bits // 8
        self.data = bytearray()

    @property
    def beats(self) -> int:
        """Beats so far."""
        return len(self.data) // self.beat_bytes

    def put(self, parts: Sequence[bytes]) -> tuple[int, int]:
        """Append data and return its first beat and its number of beats."""
        first = self.beats
        for part in parts:
            self.data += part
        self.data += bytes(-len(self.data) % self.beat_bytes)
        return first, self.beats - first

    def reserve(self, beats: int) -> int:
        """Append empty beats and return the first."""
        first = self.beats
        self.data += bytes(beats * self.beat_bytes)
        return first
