# SPDX-License-Identifier: Apache-2.0
"""A device: what a part and its board hold, read from a TOML file and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from intaglio.devices.fields import (
    Reader,
    count_field,
    pair_field,
    pairs_field,
    price_field,
    ratio_field,
    read_described,
    read_toml,
    text_field,
)
from intaglio.errors import ModelError

#: Larger files are not device descriptions; the limit keeps a wrong path from filling memory.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Device:
    """A part, its package and speed grade, and optionally the board around it.

    Units: `lut`, `ff`, `dsp`, `bram` and `pins` count what a design may use: 4-input tables,
    flip-flops, multipliers of `dsp_width` bits, memory blocks of `bram_bits` bits that can each be
    a ROM or a simple dual-port RAM of any (width, depth) in `bram_geometries`, and user pins of
    the package. `clock_pin` is that of the board's oscillator. `sources` says for every number
    where it comes from.
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
    clock_pin: str | None = None
    clock_mhz: float | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.part))

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
    return read_device(read_toml(text, where), where)


def device_document(device: Device) -> dict[str, Any]:
    """Return a device as JSON types: what `read_device` reads."""
    values = {f.name: getattr(device, f.name) for f in fields(device)}
    given = {name: value for name, value in values.items() if value is not None}
    return {**given, "sources": dict(device.sources)}


def read_device(document: Mapping[str, Any], where: str) -> Device:
    """Read a device from the fields of its file; `where` names it in errors.

    Raises:
        ModelError: a field is missing, unknown or wrong.
    """
    values = read_described(document, where, _REQUIRED, _OPTIONAL)
    for width, depth in values["bram_geometries"]:
        if width * depth > values["bram_bits"]:
            raise ModelError(
                f"{where}: bram_geometries must hold at most bram_bits = {values['bram_bits']}, "
                f"not {width} x {depth}"
            )
    return Device(**values)


_REQUIRED: Mapping[str, Reader] = {
    "name": text_field,
    "family": text_field,
    "part": text_field,
    "package": text_field,
    "speed": text_field,
    "lut": count_field,
    "ff": count_field,
    "dsp": count_field,
    "dsp_width": pair_field,
    "bram": count_field,
    "bram_bits": count_field,
    "bram_geometries": pairs_field,
    "pins": count_field,
}
_OPTIONAL: Mapping[str, Reader] = {
    "board": text_field,
    "memory": text_field,
    "memory_bytes": count_field,
    "memory_width": count_field,
    "price_usd": price_field,
    "clock_pin": text_field,
    "clock_mhz": ratio_field,
}
