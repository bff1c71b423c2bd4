# SPDX-License-Identifier: Apache-2.0
"""A device: what a part and its board hold, read from a TOML file and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intaglio.errors import ModelError

#: Larger files are not device descriptions; the limit keeps a wrong path from filling memory.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Device:
    """A part, its package and speed grade, and optionally the board around it.

    Units: `lut`, `ff`, `dsp`, `bram` and `pins` count what a design may use: 4-input tables,
    flip-flops, multipliers of `dsp_width` bits, memory blocks of `bram_bits` bits that can each be
    a ROM or a simple dual-port RAM of any (width, depth) in `bram_geometries`, and user pins of
    the package. `sources` says for every number where it comes from.
    """

    name: str
    family: str
    part: str
    package: str
    speed: str
    lut: int
    ff: int
    dsp: int
    dsp_width: tuple[int, int]
    bram: int
    bram_bits: int
    bram_geometries: tuple[tuple[int, int], ...]
    pins: int
    sources: tuple[tuple[str, str], ...]
    board: str | None = None
    memory: str | None = None
    memory_bytes: int | None = None
    memory_width: int | None = None
    price_usd: float | None = None

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.part}-{self.speed} in {self.package}, {self.lut:,} LUT, "
            f"{self.ff:,} FF, {self.dsp} DSP, {self.bram} block RAM of {self.bram_bits:,} bits"
        )


def load_device(path: str | Path) -> Device:
    """Read a user's own device file.

    Raises:
        ModelError: it is missing, too large, not TOML, or a field is missing, unknown or wrong;
            the text names the file and the field.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise ModelError(f"{path} must be a device file: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path} must be a device file, not something other than text") from None
    if len(data) > MAX_BYTES:
        raise ModelError(f"{path} must be a device file of at most {MAX_BYTES} bytes, not larger")
    return parse_device(text, str(path))


def parse_device(text: str, where: str) -> Device:
    """Read the text of a device file; `where` names it in errors.

    Raises:
        ModelError: it is not TOML, or a field is missing, unknown or wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{where} must be TOML: {error}") from None
    sources = document.pop("sources", {})
    if not isinstance(sources, Mapping):
        raise ModelError(f"{where}: sources must be a table, not {sources!r}")
    values = _read_fields(document, where)
    _check_sources(sources, values, where)
    for width, depth in values["bram_geometries"]:
        if width * depth > values["bram_bits"]:
            raise ModelError(
                f"{where}: bram_geometries must hold at most bram_bits = {values['bram_bits']}, "
                f"not {width} x {depth}"
            )
    return Device(**values, sources=tuple(sorted(sources.items())))


def _read_fields(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {**_REQUIRED, **_OPTIONAL}
    for field in document:
        if field not in known:
            raise ModelError(f"{where}: a field must be one of {', '.join(known)}, not {field!r}")
    for field in _REQUIRED:
        if field not in document:
            raise ModelError(f"{where}: {field} must be given; it is missing")
    return {f: known[f](value, f"{where}: {f}") for f, value in document.items()}


def _check_sources(sources: Mapping[str, Any], values: Mapping[str, Any], where: str) -> None:
    for field in sources:
        if field not in values:
            raise ModelError(f"{where}: sources.{field} must belong to a field that is given")
    for field in sorted(_NUMBERS & values.keys()):
        if not isinstance(sources.get(field), str) or not sources[field].strip():
            raise ModelError(f"{where}: sources.{field} must say where {field} comes from")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{where} must be text, not {value!r}")
    return value


def _count(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ModelError(f"{where} must be a whole number of 0 or more, not {value!r}")
    return value


def _price(value: Any, where: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise ModelError(f"{where} must be a price in US dollars, not {value!r}")
    return float(value)


def _pair(value: Any, where: str) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ModelError(f"{where} must be a pair of whole numbers, not {value!r}")
    first, second = (_count(v, where) for v in value)
    if not first or not second:
        raise ModelError(f"{where} must be a pair of numbers of 1 or more, not {value!r}")
    return first, second


def _pairs(value: Any, where: str) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or not value:
        raise ModelError(f"{where} must be a list of [width, depth], not {value!r}")
    return tuple(_pair(v, where) for v in value)


_REQUIRED: Mapping[str, Callable[[Any, str], Any]] = {
    "name": _text,
    "family": _text,
    "part": _text,
    "package": _text,
    "speed": _text,
    "lut": _count,
    "ff": _count,
    "dsp": _count,
    "dsp_width": _pair,
    "bram": _count,
    "bram_bits": _count,
    "bram_geometries": _pairs,
    "pins": _count,
}
_OPTIONAL: Mapping[str, Callable[[Any, str], Any]] = {
    "board": _text,
    "memory": _text,
    "memory_bytes": _count,
    "memory_width": _count,
    "price_usd": _price,
}
_NAMES = {"name", "family", "part", "package", "speed", "board", "memory"}
_NUMBERS = (_REQUIRED.keys() | _OPTIONAL.keys()) - _NAMES
