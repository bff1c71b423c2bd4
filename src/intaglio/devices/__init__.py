# SPDX-License-Identifier: Apache-2.0
"""The devices a design can be made for: one TOML file each, every number with its source."""

from __future__ import annotations

from functools import cache
from importlib import resources

from intaglio.devices.description import Device, parse_device
from intaglio.errors import IntaglioError

__all__ = ["Device", "device", "devices"]


def devices() -> tuple[str, ...]:
    """Return the names of the devices that come with the package."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


@cache
def device(name: str) -> Device:
    """Return a device by its name; `device.load_device` reads a user's own file.

    Raises:
        IntaglioError: there is no such device; the text lists those there are.
    """
    if name not in devices():
        raise IntaglioError(f"device must be one of {', '.join(devices())}, not {name!r}")
    file = resources.files(__name__) / f"{name}.toml"
    return parse_device(file.read_text(encoding="utf-8"), file.name)
