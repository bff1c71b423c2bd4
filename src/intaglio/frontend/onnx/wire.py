# SPDX-License-Identifier: Apache-2.0
"""How many fields a protobuf file holds, counted before it is parsed.

Two bytes of a file can be a message that takes a hundred in memory. A large file is mostly the
bytes of weights, so counting its fields is quick, unless it was made to do harm.

Source: the protobuf encoding, https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from typing import Any

from intaglio.errors import ModelError

#: A network of MAX_NODES nodes, with some fields each; weights are one field.
MAX_FIELDS = 1 << 19
#: Files below are parsed as they are: what they unpack to is small enough.
SMALL = 1 << 22
#: Packed integers of which each byte can become eight: so many count as one field.
_PACKED = 32
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def check_fields(data: bytes, descriptor: Any) -> None:
    """Refuse a message with too many fields; what is damaged is left to the parser.

    Args:
        data: the message.
        descriptor: its type, as protobuf describes it.

    Raises:
        ModelError: it has more than MAX_FIELDS.
    """
    left = MAX_FIELDS
    open_ = [(0, len(data), descriptor)]
    while open_:
        place, end, kind = open_.pop()
        fields = kind.fields_by_number
        while place < end:
            tag, place = _varint(data, place, end)
            size = 0
            if tag & 7 == _VARINT:
                _, place = _varint(data, place, end)
            elif tag & 7 == _LENGTH:
                size, place = _varint(data, place, end)
                left -= _inside(fields.get(tag >> 3), place, min(place + size, end), open_)
            elif tag & 7 not in (_FIXED32, _FIXED64):
                return
            place += {_LENGTH: size, _FIXED32: 4, _FIXED64: 8}.get(tag & 7, 0)
            left -= 1
            if left < 0:
                raise ModelError(f"it must have at most {MAX_FIELDS} fields, weights being one")


def _inside(field: Any, place: int, end: int, open_: list[tuple[int, int, Any]]) -> int:
    """Return what the inside of a field counts, or put it on the list where it is a message."""
    if field is None:
        return 0
    if field.message_type is not None:
        open_.append((place, end, field.message_type))
        return 0
    numbers = field.cpp_type in _INTEGERS
    return (end - place) // _PACKED if numbers else 0


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first."""
    value = shift = 0
    while place < end:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            break
        shift += 7
    return value, place


#: FieldDescriptor.CPPTYPE_INT32, INT64, UINT32, UINT64, BOOL and ENUM.
_INTEGERS = frozenset({1, 2, 3, 4, 7, 8})
