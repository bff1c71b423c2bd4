# SPDX-License-Identifier: Apache-2.0
"""What can be rented: families of machines by size, with list prices; one TOML file each.

Every figure says where it comes from and when it was true. Prices change: give your own file where
it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from intaglio.devices.fields import read_toml
from intaglio.errors import IntaglioError
from intaglio.plan.money import hourly_price
from intaglio.plan.text_file import read_text

_FAMILY = ("name", "provider", "board", "size")
_SIZE = ("name", "boards", "list_usd_per_hour", "source", "date")


@dataclass(frozen=True)
class Size:
    """One size of machine: its boards, and its list price in each region.

    Units: micro-dollars an hour.
    """

    name: str
    boards: int
    listed: tuple[tuple[str, int], ...]
    source: str
    date: str

    def list_price(self, zone: str) -> int:
        """Return the list price in a zone's region.

        Raises:
            IntaglioError: the catalog has none for that region.
        """
        for region, price in sorted(self.listed, key=lambda item: -len(item[0])):
            if zone.startswith(region):
                return price
        known = ", ".join(region for region, _ in self.listed)
        raise IntaglioError(
            f"the list price of {self.name} must be in the catalog for {zone}, "
            f"which has it for {known} only: add it to a catalog file of your own"
        )


@dataclass(frozen=True)
class Family:
    """Sizes of machines with the same boards, from the smallest to the largest."""

    name: str
    provider: str
    board: str
    sizes: tuple[Size, ...]

    def size(self, name: str) -> Size:
        """Return a size by its name.

        Raises:
            IntaglioError: there is none; the text lists those there are.
        """
        for one in self.sizes:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.sizes)
        raise IntaglioError(f"a size of {self.name} must be one of {known}, not {name!r}")


def families() -> tuple[str, ...]:
    """Return the names of the families that come with the package."""
    files = (resources.files("intaglio.plan") / "cloud").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


@cache
def family(name: str) -> Family:
    """Return a family by its name, or from a file of your own if the name ends in .toml.

    Raises:
        IntaglioError: there is none of that name, or the file is wrong.
    """
    if name.endswith(".toml"):
        return parse_family(read_text(Path(name), "a catalog file"), name)
    if name not in families():
        raise IntaglioError(f"the family must be one of {', '.join(families())}, not {name!r}")
    file = resources.files("intaglio.plan") / "cloud" / f"{name}.toml"
    return parse_family(file.read_text(encoding="utf-8"), file.name)


def family_of(size: str) -> Family:
    """Return the family that comes with the package and has a size of that name.

    Raises:
        IntaglioError: there is none.
    """
    for name in families():
        found = family(name)
        if any(one.name == size for one in found.sizes):
            return found
    known = ", ".join(one.name for name in families() for one in family(name).sizes)
    raise IntaglioError(
        f"a size must be one of {known}, not {size!r}, or in a catalog file of your own"
    )


def parse_family(text: str, where: str) -> Family:
    """Read the text of a catalog file; `where` names it in errors.

    Raises:
        IntaglioError: it is not TOML, or a field is missing, unknown or wrong.
    """
    document = read_toml(text, where)
    _check_fields(document, _FAMILY, where)
    rows = document["size"]
    if not isinstance(rows, list) or not rows:
        raise IntaglioError(f"{where}: size must be a list of tables [[size]]; it is not")
    sizes = [_size(row, f"{where}: size {number}") for number, row in enumerate(rows, 1)]
    if len({one.name for one in sizes}) < len(sizes):
        raise IntaglioError(f"{where}: each size must have a name of its own; two have the same")
    sizes.sort(key=lambda one: one.boards)
    return Family(document["name"], document["provider"], document["board"], tuple(sizes))


def _size(row: Mapping[str, Any], where: str) -> Size:
    _check_fields(row, _SIZE, where)
    boards, prices = row["boards"], row["list_usd_per_hour"]
    if not isinstance(boards, int) or isinstance(boards, bool) or boards < 1:
        raise IntaglioError(f"{where}: boards must be a whole number of 1 or more, not {boards!r}")
    if not isinstance(prices, Mapping) or not prices:
        raise IntaglioError(
            f"{where}: list_usd_per_hour must be a table of regions, not {prices!r}"
        )
    listed = tuple(
        (region, hourly_price(price, f"{where}: list_usd_per_hour.{region}"))
        for region, price in prices.items()
    )
    return Size(str(row["name"]), boards, listed, str(row["source"]), str(row["date"]))


def _check_fields(document: Mapping[str, Any], fields: tuple[str, ...], where: str) -> None:
    for name in document:
        if name not in fields:
            raise IntaglioError(
                f"{where}: a field must be one of {', '.join(fields)}, not {name!r}"
            )
    for name in fields:
        if document.get(name) in (None, ""):
            raise IntaglioError(f"{where}: {name} must be given; it is missing")
