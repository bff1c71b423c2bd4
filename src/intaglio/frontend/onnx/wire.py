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
MAX_FIELDS = 1 << 18
#: Files below are parsed as they are: what they unpack to is small enough.
SMALL = 1 << 22
#: Packed integers of which each byte can become eight: so many count as one field.
_PACKED = 64
_VARINT, _LENGTH = 0, 2
#: Bytes of numbers of fixed size, by wire type.
_FIXED = {1: 8, 5: 4}


def check_fields(data: bytes, descriptor: Any) -> None:
    """Refuse a message with too many fields; what is damaged is left to the parser.

    Args:
        data: the message.
        descriptor: its type, as protobuf describes it.

    Raises:
        ModelError: it has more than MAX_FIELDS.
    """
    left = MAX_FIELDS
    open_ = [(0, len(data), _inside(descriptor))]
    while open_:
        place, end, fields = open_.pop()
        while place < end:
            tag, place = _varint(data, place, end)
            left -= 1
            if left < 0:
                raise ModelError(f"it must have at most {MAX_FIELDS} fields, weights being one")
            kind = tag & 7
            if kind == _LENGTH:
                size, place = _varint(data, place, end)
                inside = fields.get(tag >> 3)
                if inside is not None and size:
                    open_.append((place, min(place + size, end), inside))
                elif tag >> 3 in fields:
                    left -= min(size, end - place) // _PACKED
                place += size
            elif kind == _VARINT:
                _, place = _varint(data, place, end)
            elif kind in _FIXED:
                place += _FIXED[kind]
            else:
                return


#: By field number: what a message has inside, or None for a list of integers. Others are absent.
_Fields = dict[int, "_Fields | None"]


def _inside(descriptor: Any, known: dict[str, _Fields] | None = None) -> _Fields:
    """Describe the fields of a message that matter, once for each type."""
    known = {} if known is None else known
    if descriptor.full_name not in known:
        fields: _Fields = {}
        known[descriptor.full_name] = fields
        for field in descriptor.fields:
            if field.message_type is not None:
                fields[field.number] = _inside(field.message_type, known)
            elif field.cpp_type in _INTEGERS:
                fields[field.number] = None
    return known[descriptor.full_name]


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first."""
    value = data[place] if place < end else 0
    place += 1
    if value < 0x80:
        return value, place
    value &= 0x7F
    shift = 7
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
