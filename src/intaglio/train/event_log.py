# SPDX-License-Identifier: Apache-2.0
"""The curves of a training as a file for TensorBoard, written without it.

The file is a list of records: length (uint64), its checksum, bytes, their checksum (CRC-32C,
masked); the bytes are an `Event` in protocol buffers. It is written anew and whole after each
epoch, so kills leave no half of one; its wall clock counts epochs, so equal trainings give equal
files.

Source: TensorFlow, core/util/event.proto and core/framework/summary.proto for the fields' numbers;
core/lib/io/record_writer.h for the records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from intaglio.artifact import write_atomic

#: TensorBoard looks for `tfevents` in a file's name.
NAME = "events.out.tfevents.0.intaglio"
VERSION = b"brain.Event:2"
_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8


def write_event_log(folder: Path, history: Iterable[Mapping[str, float]]) -> Path:
    """Write every number of a history, one record an epoch, under the epoch's number."""
    records = [_record(_double(1, 0.0) + _bytes(3, VERSION))]
    for epoch in history:
        step = int(epoch["epoch"])
        values = b"".join(
            _bytes(1, _bytes(1, name.encode()) + _float(2, value))
            for name, value in sorted(epoch.items())
            if name != "epoch"
        )
        records.append(_record(_double(1, float(step)) + _number(2, step) + _bytes(5, values)))
    path = folder / NAME
    write_atomic(path, b"".join(records))
    return path


def crc32c(data: bytes) -> int:
    """Return the checksum of Castagnoli's polynomial.

    Source: RFC 3720, section 12.1 and appendix B.4.
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _entry(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (_POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = [_entry(index) for index in range(256)]


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)
