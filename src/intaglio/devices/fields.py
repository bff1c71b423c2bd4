# SPDX-License-Identifier: Apache-2.0
"""The fields of a TOML file that describes hardware: each checked, each number with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from intaglio.errors import ModelError

Reader = Callable[[Any, str], Any]


def read_toml(text: str, where: str) -> dict[str, Any]:
    """Read a TOML document.

    Raises:
        ModelError: it is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{where} must be TOML: {error}") from None


def read_described(
    document: Mapping[str, Any],
    where: str,
    required: Mapping[str, Reader],
    optional: Mapping[str, Reader],
) -> dict[str, Any]:
    """Read fields and the table `sources`, which must name every field that is no text.

    Raises:
        ModelError: a field is missing, unknown, wrong or without source.
    """
    document = dict(document)
    sources = document.pop("sources", {})
    if not isinstance(sources, Mapping):
        raise ModelError(f"{where}: sources must be a table, not {sources!r}")
    known = {**required, **optional}
    for field in document:
        if field not in known:
            raise ModelError(f"{where}: a field must be one of {', '.join(known)}, not {field!r}")
    for field in required:
        if field not in document:
            raise ModelError(f"{where}: {field} must be given; it is missing")
    values = {f: known[f](value, f"{where}: {f}") for f, value in document.items()}
    numbers = {field for field in values if known[field] is not text_field}
    _check_sources(sources, values, numbers, where)
    return {**values, "sources": tuple(sorted(sources.items()))}


def _check_sources(
    sources: Mapping[str, Any], values: Mapping[str, Any], numbers: set[str], where: str
) -> None:
    for field in sources:
        if field not in values:
            raise ModelError(f"{where}: sources.{field} must belong to a field that is given")
    for field in sorted(numbers):
        if not isinstance(sources.get(field), str) or not sources[field].strip():
            raise ModelError(f"{where}: sources.{field} must say where {field} comes from")


def text_field(value: Any, where: str) -> str:
    """Read a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{where} must be text, not {value!r}")
    return value


def count_field(value: Any, where: str) -> int:
    """Read a whole number that is not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ModelError(f"{where} must be a whole number of 0 or more, not {value!r}")
    return value


def price_field(value: Any, where: str) -> float:
    """Read a price in US dollars."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise ModelError(f"{where} must be a price in US dollars, not {value!r}")
    return float(value)


def ratio_field(value: Any, where: str) -> float:
    """Read a factor on an estimate, or a clock."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 1000:
        raise ModelError(f"{where} must be a number over 0 and up to 1000, not {value!r}")
    return float(value)


def share_field(value: Any, where: str) -> float:
    """Read a share of one."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ModelError(f"{where} must be a number from 0 to 1, not {value!r}")
    return float(value)


def pair_field(value: Any, where: str) -> tuple[int, int]:
    """Read a pair of whole numbers of 1 or more."""
    if not isinstance(value, list) or len(value) != 2:
        raise ModelError(f"{where} must be a pair of whole numbers, not {value!r}")
    first, second = (count_field(v, where) for v in value)
    if not first or not second:
        raise ModelError(f"{where} must be a pair of numbers of 1 or more, not {value!r}")
    return first, second


def pairs_field(value: Any, where: str) -> tuple[tuple[int, int], ...]:
    """Read a list of (width, depth)."""
    if not isinstance(value, list) or not value:
        raise ModelError(f"{where} must be a list of [width, depth], not {value!r}")
    return tuple(pair_field(v, where) for v in value)


def counts_field(length: int) -> Reader:
    """Return a reader of lists of so many whole numbers of 0 or more."""

    def read(value: Any, where: str) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) != length:
            raise ModelError(f"{where} must be {length} whole numbers, not {value!r}")
        return tuple(count_field(v, where) for v in value)

    return read


def rows_field(length: int) -> Reader:
    """Return a reader of lists of rows of so many whole numbers."""
    row = counts_field(length)

    def read(value: Any, where: str) -> tuple[tuple[int, ...], ...]:
        if not isinstance(value, list) or not value:
            raise ModelError(f"{where} must be a list of rows of {length}, not {value!r}")
        return tuple(row(v, where) for v in value)

    return read
