# SPDX-License-Identifier: Apache-2.0
"""Schemes as small files, TOML or JSON: the fields of `Scheme` by name, layers by pattern.

scheme = "int8"            # a ready-made one to start from, if not the default
activations = "u4"
[layers."c1*"]
weights = "s8n"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from intaglio.errors import QuantizationError
from intaglio.quantize.scheme import Override, Scheme

SUFFIXES = (".toml", ".json")


def read_scheme(text: str) -> Scheme:
    """Return a scheme by its name, or from a .toml or .json file.

    Raises:
        QuantizationError: there is no such scheme, or the file is no scheme's.
    """
    path = Path(text)
    if path.suffix not in SUFFIXES:
        return Scheme.named(text)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QuantizationError(f"a scheme's file must be readable: {path}: {error}") from None
    try:
        document = tomllib.loads(content) if path.suffix == ".toml" else json.loads(content)
    except ValueError as error:
        raise QuantizationError(f"{path} must be {path.suffix[1:].upper()}: {error}") from None
    try:
        return from_document(document)
    except QuantizationError as error:
        raise QuantizationError(f"{path}: {error}") from None


def from_document(document: Any) -> Scheme:
    """Make a scheme of a mapping of its fields; `scheme` names the one to start from.

    Raises:
        QuantizationError: a field is unknown or not one of its allowed values.
    """
    given = dict(_table("a scheme", document))
    start = Scheme.named(given.pop("scheme")) if "scheme" in given else Scheme()
    layers = [
        override(pattern, _table(f"layer {pattern!r}", changes))
        for pattern, changes in _table("layers", given.pop("layers", {})).items()
    ]
    defaults = {f.name: f.default for f in fields(Scheme)[:-1]}
    for name, value in given.items():
        _known("a scheme", name, defaults)
        if type(value) is not type(defaults[name]):
            wanted = "true or false" if isinstance(defaults[name], bool) else "a text"
            raise QuantizationError(f"{name} must be {wanted}, not {value!r}")
    return replace(start, **given, layers=(*start.layers, *layers))


def to_document(scheme: Scheme) -> dict[str, Any]:
    """Return what `from_document` makes the same scheme of."""
    document: dict[str, Any] = {
        field.name: getattr(scheme, field.name)
        for field in fields(Scheme)[:-1]
        if getattr(scheme, field.name) != field.default
    }
    if scheme.layers:
        document["layers"] = {o.pattern: o.given for o in scheme.layers}
    return document


def override(pattern: str, changes: Mapping[str, Any]) -> Override:
    """Make an exception for the layers of a pattern.

    Raises:
        QuantizationError: a field is not one that layers have.
    """
    names = [f.name for f in fields(Override)[1:]]
    for name, value in changes.items():
        _known(f"layer {pattern!r}", name, names)
        if not isinstance(value, str):
            raise QuantizationError(f"layer {pattern!r}: {name} must be a text, not {value!r}")
    return Override(pattern, **changes)


def override_of(text: str) -> Override:
    """Read an exception as it is written on a command line: `PATTERN:weights=s8n,activations=u8`.

    Raises:
        QuantizationError: it is not of that form.
    """
    pattern, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",")]
    if not pattern or not all(name and equals and value for name, equals, value in pairs):
        raise QuantizationError(
            f"a layer's exception must be like c1*:weights=s8n,activations=u8, not {text!r}"
        )
    return override(pattern, {name: value for name, _, value in pairs})


def _table(what: str, found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise QuantizationError(f"{what} must be a table of names and values, not {found!r}")
    return found


def _known(what: str, name: str, names: Any) -> None:
    if name not in names:
        raise QuantizationError(f"{what} has {', '.join(names)}, not {name!r}")
