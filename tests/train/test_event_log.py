# SPDX-License-Identifier: Apache-2.0
"""The file for TensorBoard, read back by its published layout."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from intaglio.train.event_log import crc32c, write_event_log

numbers = st.floats(width=32, allow_nan=False)


def fields(data: bytes) -> list[tuple[int, Any]]:
    """Read a message of protocol buffers."""
    found: list[tuple[int, Any]] = []
    while data:
        key, data = varint(data)
        kind, field = key & 7, key >> 3
        if kind == 0:
            value, data = varint(data)
        elif kind == 1:
            value, data = struct.unpack("<d", data[:8])[0], data[8:]
        elif kind == 5:
            value, data = struct.unpack("<f", data[:4])[0], data[4:]
        else:
            size, data = varint(data)
            value, data = data[:size], data[size:]
        found.append((field, value))
    return found


def varint(data: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, data[place + 1 :]
    raise AssertionError(data)


def unmasked(crc: int) -> int:
    turned = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return (turned >> 17 | turned << 15) & 0xFFFFFFFF


def records(data: bytes) -> list[bytes]:
    found = []
    while data:
        size, crc = struct.unpack("<QI", data[:12])
        assert unmasked(crc) == crc32c(data[:8])
        body = data[12 : 12 + size]
        assert unmasked(struct.unpack("<I", data[12 + size : 16 + size])[0]) == crc32c(body)
        found.append(body)
        data = data[16 + size :]
    return found


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (bytes(range(32)), 0x46DD794E)],
)
def test_the_checksum_is_that_of_the_standard(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@given(st.lists(st.dictionaries(st.sampled_from(["loss", "accuracy"]), numbers), max_size=300))
def test_every_number_is_there_under_its_epoch(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, float]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    records_of = [one | {"epoch": epoch} for epoch, one in enumerate(history, 1)]
    path = write_event_log(folder, records_of)
    assert "tfevents" in path.name
    first, *rest = records(path.read_bytes())
    assert fields(first) == [(1, 0.0), (3, b"brain.Event:2")]
    assert len(rest) == len(history)
    for epoch, (body, wanted) in enumerate(zip(rest, history, strict=True), 1):
        event = dict(fields(body))
        assert event[2] == epoch
        values = [dict(fields(value)) for field, value in fields(event[5]) if field == 1]
        assert {value[1].decode(): value[2] for value in values} == wanted


def test_equal_histories_give_equal_files(tmp_path: Path) -> None:
    history = [{"epoch": 1.0, "loss": 0.5}]
    first = write_event_log(tmp_path / "a", history).read_bytes()
    assert write_event_log(tmp_path / "b", history).read_bytes() == first
